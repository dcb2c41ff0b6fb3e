// Package clock is the local stack's time. Everything that waits in the stack (schedules, visibility timeouts, pacing,
// leases, grace periods) waits by it, so that a demonstration or a test can move three days on in a second, and still
// whatever would have happened in those days happens, in order, and is finished before the next thing begins.
//
// The clock runs in real time, at a distance that only grows: its offset. Advance lets it run ahead, from one due time
// to the next, and holds still while work is in flight: an invocation, an event on its way, a timer's function. Work says so by
// Begin. Work that sleeps by the clock is not in flight, since it is the clock that it waits for.
package clock

import (
	"context"
	"sync"
	"time"
)

// recheck is the longest that the clock trusts a timer of the machine, which stands still while a laptop is suspended.
const recheck = time.Minute

// grain is the shortest real wait, so that a machine's clock that was set back makes nobody spin.
const grain = time.Millisecond

// A Clock is the stack's clock. All methods are safe for concurrent use.
type Clock struct {
	real      func() time.Time
	advancing chan struct{} // holds a token while nobody advances

	mu     sync.Mutex
	offset time.Duration
	last   time.Time // Now never goes back, even when the machine's clock is set back
	busy   int
	idle   chan struct{} // closed when busy falls to 0; nil unless Advance waits for that
	queue  waiters
	seq    uint64
	timer  *time.Timer // real time; set to the first of queue
}

// New returns a clock that is offset ahead of real (time.Now, but for tests).
func New(real func() time.Time, offset time.Duration) *Clock {
	c := &Clock{real: real, offset: offset, advancing: make(chan struct{}, 1)}
	c.advancing <- struct{}{}
	return c
}

// Now returns the stack's time, without a monotonic reading. It never goes back.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// Offset returns how far the clock is ahead of real time. It only grows; who keeps it and gives it to New continues the time.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// now needs c.mu.
func (c *Clock) now() time.Time {
	if t := c.real().Round(0).Add(c.offset); t.After(c.last) {
		c.last = t
	}
	return c.last
}

// At calls f in a goroutine of its own when the clock reaches t, at once when it has. f counts as work in flight from the
// moment it is due until it returns, so it must not Sleep: work that may is for Run. After stop returned, f is not begun any more.
func (c *Clock) At(t time.Time, f func()) (stop func()) {
	return c.add(&waiter{due: t, wake: func() {
		go func() {
			defer c.done()
			f()
		}()
	}})
}

// Run calls f as At does, with a context in which f may Sleep: the context of a Begin that ends when f returns. It is cancelled by
// nothing.
func (c *Clock) Run(t time.Time, f func(ctx context.Context)) (stop func()) {
	return c.add(&waiter{due: t, wake: func() {
		w := &work{clock: c, depth: 1}
		go func() {
			defer w.end()
			f(w.in(context.Background()))
		}()
	}})
}

// add puts a waiter into the queue, or wakes it at once.
func (c *Clock) add(w *waiter) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.push(w)
	c.fire()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.remove(w)
	}
}

// fire wakes whatever is due, in the order of due times, and sets the timer to what comes next. It needs c.mu. What it
// wakes is in flight before fire returns.
func (c *Clock) fire() {
	now := c.now()
	for len(c.queue) > 0 && !c.queue[0].due.After(now) {
		w := c.queue[0]
		c.remove(w)
		if w.work != nil {
			w.work.back()
		} else {
			c.busy++
		}
		w.wake()
	}
	if len(c.queue) == 0 {
		return // a timer that is left from before finds nothing
	}
	wait := max(grain, min(recheck, c.queue[0].due.Sub(now)))
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, c.tick)
		return
	}
	c.timer.Reset(wait)
}

// tick is called by the machine's timer.
func (c *Clock) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fire()
}
