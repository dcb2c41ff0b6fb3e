package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"tidings/infra/local/clock"
	"tidings/internal/bolt"
)

// real opens queues on a clock in real time.
func real(t *testing.T, specs ...Spec) (*Service, *clock.Clock) {
	t.Helper()
	store, err := bolt.Open(filepath.Join(t.TempDir(), "stack.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	clk := clock.New(time.Now, 0)
	var n atomic.Int64
	s, err := Open(t.Context(), Config{
		Clock: clk, Table: store, Log: slog.New(slog.DiscardHandler), NewID: func() string { return fmt.Sprint(n.Add(1)) }, Queues: specs,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, clk
}

// A relay is functions that send messages on: each hop may fail, sleep, and start the next.
type relay struct {
	*testing.T
	*Service
	clock *clock.Clock

	mu     sync.Mutex
	random *rand.Rand
	open   int // hops that have not been made
	early  int // hops made before their time
}

type hop struct {
	Left int
	Due  int64
}

func (r *relay) send(ctx context.Context, left int) {
	r.mu.Lock()
	delay := time.Duration(r.random.IntN(600)) * time.Second
	name := []string{"a", "b"}[r.random.IntN(2)]
	r.open++
	r.mu.Unlock()
	body, err := json.Marshal(hop{left, r.clock.Now().Add(delay).UnixNano()})
	if err == nil {
		err = r.Queue(name).Send(ctx, body, delay)
	}
	if err != nil {
		r.Error(err)
	}
}

// make makes a hop, and reports whether it succeeded.
func (r *relay) make(ctx context.Context, body string) (bool, error) {
	var h hop
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		return false, err
	}
	r.mu.Lock()
	dice := r.random.IntN(8)
	if r.clock.Now().UnixNano() < h.Due {
		r.early++
	}
	r.mu.Unlock()
	switch dice {
	case 0:
		return false, nil
	case 1:
		if err := r.clock.Sleep(ctx, 5*time.Second); err != nil {
			return false, err
		}
	}
	r.mu.Lock()
	r.open--
	r.mu.Unlock()
	if h.Left > 0 {
		r.send(ctx, h.Left-1)
	}
	return true, nil
}

func (r *relay) invoke(ctx context.Context, _ string, payload []byte) ([]byte, error) {
	var ev events.SQSEvent
	if err := json.Unmarshal(payload, &ev); err != nil {
		return nil, err
	}
	var res events.SQSEventResponse
	for _, rec := range ev.Records {
		ok, err := r.make(ctx, rec.Body)
		if err != nil {
			return nil, err
		}
		if !ok {
			res.BatchItemFailures = append(res.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: rec.MessageId})
		}
	}
	return json.Marshal(res)
}

// TestStress lets functions that fail, sleep and send on run under Advance: when the clock has arrived, everything that was due
// has been handled, every message reached its end exactly once, and nothing came before its time.
func TestStress(t *testing.T) {
	t.Parallel()
	s, clk := real(t,
		Spec{Name: "a", Visibility: 2 * time.Minute, MaxReceives: 50, DeadLetter: "dead"},
		Spec{Name: "b", Visibility: time.Minute, MaxReceives: 50, DeadLetter: "dead"}, Spec{Name: "dead"})
	r := &relay{T: t, Service: s, clock: clk, random: rand.New(rand.NewPCG(7, 7))}
	err := s.Start(r.invoke, []Source{
		{Function: "a", Queue: "a", BatchSize: 4, Concurrency: 3, Partial: true},
		{Function: "b", Queue: "b", BatchSize: 8, Window: time.Second, Concurrency: 2, Partial: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(context.Background()) // a test that fails must not leave functions behind that report to it
	for range 100 {
		r.send(t.Context(), 8)
	}
	for range 30 {
		if busy, err := clk.Advance(t.Context(), 17*time.Minute); busy != 0 || err != nil {
			t.Fatalf("busy %d, %v", busy, err)
		}
		if st, ok := idle(s, clk); !ok {
			t.Fatalf("due and not handled: %+v", st)
		}
	}
	if r.open != 0 || r.early != 0 {
		t.Errorf("%d hops were not made, %d were early", r.open, r.early)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// idle reports whether each queue with a message that is due has one in flight. Whoever sleeps holds one of the invocations that
// there may be: with all of them asleep, messages wait for one to wake. The clock goes on in real time meanwhile, so that a message
// may have come due since: it is looked at again when the batching window is over.
func idle(s *Service, clk *clock.Clock) (Stats, bool) {
	var waits Stats
	for range 20 {
		ok := true
		for _, st := range s.Stats() {
			if st.Visible != 0 && st.InFlight == 0 {
				waits, ok = st, false
			}
		}
		if ok {
			return Stats{}, true
		}
		clk.Advance(context.Background(), MaxWindow)
	}
	return waits, false
}

// TestManyMessages is the load of a digest to 50,000 people, whose events are twice as many.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	const count = 100_000
	s, clk := real(t, Spec{Name: "events", Visibility: time.Hour})
	bodies := make([][]byte, 100)
	for i := range bodies {
		bodies[i] = []byte(`{"type":"Send","messageId":"0100019a","digest":"01k","shard":"0","batch":"17","attempt":"1","slot":"49"}`)
	}
	start := time.Now()
	for range count / len(bodies) {
		if err := s.Queue("events").SendAll(t.Context(), bodies); err != nil {
			t.Fatal(err)
		}
	}
	sent := time.Since(start)
	var got atomic.Int64
	handle := func(_ context.Context, _ string, payload []byte) ([]byte, error) {
		var ev events.SQSEvent
		err := json.Unmarshal(payload, &ev)
		got.Add(int64(len(ev.Records)))
		return nil, err
	}
	if err := s.Start(handle, []Source{{Function: "f", Queue: "events", BatchSize: 1000, Window: 20 * time.Second}}); err != nil {
		t.Fatal(err)
	}
	for busy := 1; busy > 0; { // an Advance has 25 s, which a slow machine may not do it in
		var err error
		if busy, err = clk.Advance(t.Context(), MaxWindow); err != nil {
			t.Fatal(err)
		}
	}
	if got.Load() != count {
		t.Errorf("%d of %d messages came", got.Load(), count)
	}
	t.Logf("%d messages sent in %v, delivered and deleted in %v", count, sent, time.Since(start)-sent)
}

// TestNoGap has each message send the next: whoever looks at Busy from outside never sees a moment of rest before all is done.
func TestNoGap(t *testing.T) {
	t.Parallel()
	s, clk := real(t, Spec{Name: "a"})
	var hops atomic.Int64
	handle := func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
		if hops.Add(1)%500 == 0 {
			return nil, nil
		}
		return nil, s.Queue("a").Send(ctx, []byte("x"), 0)
	}
	if err := s.Start(handle, []Source{{Function: "f", Queue: "a"}}); err != nil {
		t.Fatal(err)
	}
	for round := range int64(3) {
		if err := s.Queue("a").Send(t.Context(), []byte("x"), 0); err != nil {
			t.Fatal(err)
		}
		for clk.Busy() > 0 {
			runtime.Gosched()
		}
		if got := hops.Load(); got != 500*(round+1) {
			t.Errorf("%d of %d hops were made when the clock was at rest", got, 500*(round+1))
		}
	}
}
