package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"tidings/infra/local/clock"
	"tidings/internal/bolt"
)

// TestStress lets functions that fail, sleep and send on run under Advance: when the clock has arrived, everything that was due
// has been handled, every message reached its end exactly as often as it had to, and nothing came before its time.
func TestStress(t *testing.T) {
	t.Parallel()
	store, err := bolt.Open(filepath.Join(t.TempDir(), "stack.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	clk := clock.New(time.Now, 0)
	var n atomic.Int64
	s, err := Open(t.Context(), Config{Clock: clk, Table: store, Log: slog.New(slog.DiscardHandler), NewID: func() string { return fmt.Sprint(n.Add(1)) }, Queues: []Spec{
		{Name: "a", Visibility: 2 * time.Minute, MaxReceives: 50, DeadLetter: "dead"}, {Name: "b", Visibility: time.Minute, MaxReceives: 50, DeadLetter: "dead"}, {Name: "dead"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	type hop struct {
		Left int
		Due  int64
	}
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(7, 7))
	open, early := 0, 0
	send := func(ctx context.Context, left int) {
		mu.Lock()
		delay := time.Duration(random.IntN(600)) * time.Second
		name := []string{"a", "b"}[random.IntN(2)]
		open++
		mu.Unlock()
		body, _ := json.Marshal(hop{left, clk.Now().Add(delay).UnixNano()})
		if err := s.Queue(name).Send(ctx, body, delay); err != nil {
			t.Error(err)
		}
	}
	handle := func(ctx context.Context, _ string, payload []byte) ([]byte, error) {
		var ev events.SQSEvent
		if err := json.Unmarshal(payload, &ev); err != nil {
			return nil, err
		}
		var res events.SQSEventResponse
		for _, rec := range ev.Records {
			var h hop
			if err := json.Unmarshal([]byte(rec.Body), &h); err != nil {
				return nil, err
			}
			mu.Lock()
			dice := random.IntN(8)
			if clk.Now().UnixNano() < h.Due {
				early++
			}
			mu.Unlock()
			switch {
			case dice == 0:
				res.BatchItemFailures = append(res.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: rec.MessageId})
				continue
			case dice == 1:
				if err := clk.Sleep(ctx, 5*time.Second); err != nil {
					return nil, err
				}
			}
			mu.Lock()
			open--
			mu.Unlock()
			if h.Left > 0 {
				send(ctx, h.Left-1)
			}
		}
		return json.Marshal(res)
	}
	if err := s.Start(handle, []Source{{Function: "a", Queue: "a", BatchSize: 4, Concurrency: 3, Partial: true}, {Function: "b", Queue: "b", BatchSize: 20, Window: time.Second, Concurrency: 2, Partial: true}}); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		send(t.Context(), 8)
	}
	for range 30 {
		if busy, err := clk.Advance(t.Context(), 17*time.Minute); busy != 0 || err != nil {
			t.Fatalf("busy %d, %v", busy, err)
		}
		for _, st := range s.Stats() {
			if st.Visible != 0 {
				t.Fatalf("due and not handled: %+v", st)
			}
		}
	}
	if open != 0 || early != 0 {
		t.Errorf("%d messages are open, %d came early", open, early)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestManyMessages is the load of a digest to 50,000 people, whose events are twice as many.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	const count = 100_000
	store, err := bolt.Open(filepath.Join(t.TempDir(), "stack.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	clk := clock.New(time.Now, 0)
	var n, got atomic.Int64
	s, err := Open(t.Context(), Config{Clock: clk, Table: store, Log: slog.New(slog.DiscardHandler), NewID: func() string { return fmt.Sprint(n.Add(1)) }, Queues: []Spec{{Name: "events", Visibility: time.Hour}}})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	bodies := make([][]byte, 100)
	for i := range bodies {
		bodies[i] = []byte(`{"type":"Send","messageId":"0100019a","digest":"01k","shard":"0","batch":"17","attempt":"1","slot":"49"}`)
	}
	for range count / len(bodies) {
		if err := s.Queue("events").SendAll(t.Context(), bodies); err != nil {
			t.Fatal(err)
		}
	}
	sent := time.Since(start)
	handle := func(_ context.Context, _ string, payload []byte) ([]byte, error) {
		var ev events.SQSEvent
		err := json.Unmarshal(payload, &ev)
		got.Add(int64(len(ev.Records)))
		return nil, err
	}
	if err := s.Start(handle, []Source{{Function: "f", Queue: "events", BatchSize: 1000, Window: 20 * time.Second}}); err != nil {
		t.Fatal(err)
	}
	for busy := 1; busy > 0; {
		if busy, err = clk.Advance(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = clk.Advance(t.Context(), MaxWindow); err != nil || got.Load() != count {
		t.Errorf("%d of %d messages came: %v", got.Load(), count, err)
	}
	t.Logf("%d messages sent in %v, delivered and deleted in %v", count, sent, time.Since(start)-sent)
	if took := time.Since(start); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}
