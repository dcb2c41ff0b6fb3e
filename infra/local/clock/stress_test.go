package clock

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// stress is a random program of timers and sleepers that start further ones.
type stress struct {
	c   *Clock
	end time.Time // nothing is started that would be due after it

	mu      sync.Mutex
	random  *rand.Rand
	open    int       // started and not yet run
	ran     int       // how many ran
	last    time.Time // the latest due time that ran
	flawed  int       // ran out of order, too soon, or after the clock went past
	spawned int
}

// spawn starts something due at a random time and returns when the clock knows of it.
func (s *stress) spawn(depth int) {
	s.mu.Lock()
	due := s.c.Now().Add(time.Duration(s.random.Int64N(int64(time.Hour))))
	if due.After(s.end) || s.spawned >= 4000 {
		s.mu.Unlock()
		return
	}
	s.open++
	s.spawned++
	kind := s.random.IntN(3)
	s.mu.Unlock()
	switch kind {
	case 0:
		s.c.At(due, func() { s.run(due, depth) })
	case 1:
		s.c.Run(due, func(context.Context) { s.run(due, depth) })
	default:
		ctx, end := s.c.Begin(context.Background())
		go func() {
			defer end()
			if s.c.Sleep(ctx, due.Sub(s.c.Now())) == nil {
				s.run(due, depth)
			}
		}()
	}
}

func (s *stress) run(due time.Time, depth int) {
	now := s.c.Now()
	s.mu.Lock()
	s.open--
	s.ran++
	// Real time passes too, by less than this. Two that are so near to each other may change places.
	const slack = time.Second
	if now.Before(due.Add(-slack)) || now.After(due.Add(slack)) || due.Before(s.last.Add(-slack)) {
		s.flawed++
	}
	if due.After(s.last) {
		s.last = due
	}
	children := 0
	if depth > 0 {
		children = s.random.IntN(4)
	}
	s.mu.Unlock()
	for range children {
		s.spawn(depth - 1)
	}
}

func TestStress(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		c := New(time.Now, 0)
		s := &stress{c: c, end: c.Now().Add(23 * time.Hour), random: rand.New(rand.NewPCG(seed, 1))}
		for range 200 {
			s.spawn(30)
		}
		for c.Now().Before(s.end) {
			step := time.Duration(s.random.Int64N(int64(3 * time.Hour)))
			if busy, err := c.Advance(t.Context(), step); busy != 0 || err != nil {
				t.Fatalf("seed %d: busy %d, %v", seed, busy, err)
			}
			s.mu.Lock()
			c.mu.Lock()
			if len(c.queue) != s.open {
				t.Errorf("seed %d: %d are open, %d wait", seed, s.open, len(c.queue))
			}
			for _, w := range c.queue {
				if !w.due.After(c.last) {
					t.Errorf("seed %d: something due at %v has not run at %v", seed, w.due, c.last)
				}
			}
			c.mu.Unlock()
			s.mu.Unlock()
		}
		advance(t, c, time.Hour)
		if s.open != 0 || s.flawed != 0 || s.ran < 1000 {
			t.Errorf("seed %d: %d ran, %d at a wrong time, %d never", seed, s.ran, s.flawed, s.open)
		}
	}
}
