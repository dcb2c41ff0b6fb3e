package scheduler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tidings/infra/local/clock"
	"tidings/internal/bolt"
	"tidings/internal/table"
)

// A world is a clock, a table and the schedules on them, in a synctest bubble, which starts on 2000-01-01 at midnight.
type world struct {
	*testing.T
	*Service
	clock *clock.Clock
	tab   table.Table
	start time.Time
	log   bytes.Buffer

	mu      sync.Mutex
	calls   []string
	answer  func(ctx context.Context, payload string) error
	letters []string
}

func bubble(t *testing.T, test func(w *world)) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stack.db")
	synctest.Test(t, func(t *testing.T) {
		store, err := bolt.Open(path, bolt.NoSync())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		w := &world{T: t, clock: clock.New(time.Now, 0), tab: store}
		w.start = w.clock.Now()
		w.open()
		test(w)
	})
}

// open makes the scheduler anew, as a restart does. It is not started.
func (w *world) open() {
	w.Helper()
	n := atomic.Int64{}
	s, err := Open(w.Context(), Config{
		Clock: w.clock, Table: w.tab, Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
		NewID:       func() string { return fmt.Sprintf("id-%d-%d", w.clock.Now().UnixNano(), n.Add(1)) },
		DeadLetters: func(string) Queue { return w },
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Service = s
}

// Send is the dead-letter queue's.
func (w *world) Send(_ context.Context, body []byte, _ time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.letters = append(w.letters, string(body))
	return nil
}

func (w *world) function(ctx context.Context, function string, payload []byte) ([]byte, error) {
	w.mu.Lock()
	w.calls = append(w.calls, fmt.Sprintf("%s %s %v", function, payload, w.clock.Now().Sub(w.start)))
	answer := w.answer
	w.mu.Unlock()
	if answer != nil {
		return nil, answer(ctx, string(payload))
	}
	return nil, nil
}

func (w *world) run(template ...Spec) *Group {
	w.Helper()
	if err := w.Service.Start(w.Context(), w.function, template); err != nil {
		w.Fatal(err)
	}
	return w.Group("tidings", "dispatch", "dlq")
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) advance(d time.Duration) {
	w.Helper()
	if busy, err := w.clock.Advance(w.Context(), d); busy != 0 || err != nil {
		w.Fatalf("advance by %v: busy %d, %v", d, busy, err)
	}
}

// expect demands the calls since the last expect.
func (w *world) expect(what string, calls ...string) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got, want := strings.Join(w.calls, ", "), strings.Join(calls, ", "); got != want {
		w.Errorf("%s: calls are %q, want %q", what, got, want)
	}
	w.calls = nil
}

func (w *world) kept() int {
	w.Helper()
	page, err := w.tab.Query(w.Context(), table.Query{Partition: partition, Limit: 100})
	w.must(err)
	return len(page.Items)
}

func TestOnce(t *testing.T) {
	bubble(t, func(w *world) {
		g := w.run()
		w.must(g.Once(w.Context(), "now", w.clock.Now(), []byte("now")))
		w.advance(0)
		w.expect("at once", "dispatch now 0s")
		w.must(g.Once(w.Context(), "past", w.clock.Now().Add(-time.Hour), []byte("past")))
		w.must(g.Once(w.Context(), "later", w.start.Add(time.Hour+time.Millisecond), []byte("later")))
		w.must(g.Once(w.Context(), "moved", w.start.Add(time.Minute), []byte("first")))
		w.must(g.Once(w.Context(), "moved", w.start.Add(2*time.Hour), []byte("second")))
		w.must(g.Once(w.Context(), "deleted", w.start.Add(time.Hour), []byte("deleted")))
		w.must(g.Delete(w.Context(), "deleted"))
		w.must(g.Delete(w.Context(), "never-there"))
		w.advance(3 * time.Hour)
		w.expect("in three hours", "dispatch past 0s", "dispatch later 1h0m1s", "dispatch second 2h0m0s")
		if w.kept() != 0 {
			w.Errorf("%d schedules are kept", w.kept())
		}
	})
}

func TestRealTime(t *testing.T) {
	bubble(t, func(w *world) {
		g := w.run()
		w.must(g.Once(w.Context(), "a", w.start.Add(90*time.Second), []byte("a")))
		time.Sleep(91 * time.Second)
		w.expect("in real time", "dispatch a 1m30s")
	})
}

func TestEveryMinute(t *testing.T) {
	bubble(t, func(w *world) {
		g := w.run()
		w.must(g.EveryMinute(w.Context(), "sweep", []byte("s")))
		w.advance(30 * time.Second)
		w.must(g.EveryMinute(w.Context(), "sweep", []byte("s")))
		w.advance(2 * time.Minute)
		w.expect("two minutes", "dispatch s 1m0s", "dispatch s 2m0s")
		w.answer = func(ctx context.Context, _ string) error { return g.Delete(ctx, "sweep") } // as a digest's last sweep does
		w.advance(time.Hour)
		w.expect("an hour", "dispatch s 3m0s")
		if w.kept() != 0 || w.clock.Busy() != 0 {
			w.Errorf("%d schedules are kept, busy %d", w.kept(), w.clock.Busy())
		}
	})
}

func TestRetries(t *testing.T) {
	bubble(t, func(w *world) {
		g := w.run()
		left := 2
		w.answer = func(context.Context, string) error {
			if left--; left < 0 {
				return nil
			}
			return errors.New("broken")
		}
		w.must(g.Once(w.Context(), "a", w.start, []byte(`{"kind":"start"}`)))
		w.advance(time.Hour)
		w.expect("two failures", `dispatch {"kind":"start"} 0s`, `dispatch {"kind":"start"} 1m0s`, `dispatch {"kind":"start"} 3m0s`)
		left = 99
		w.must(g.Once(w.Context(), "b", w.start, []byte(`{"kind":"start"}`)))
		w.advance(time.Hour)
		if len(w.calls) != 3 || len(w.letters) != 1 || w.kept() != 0 {
			w.Fatalf("calls %q, letters %q, %d kept", w.calls, w.letters, w.kept())
		}
		var letter struct {
			RequestContext struct {
				Condition              string
				ApproximateInvokeCount int
			}
			RequestPayload struct{ Kind string }
		}
		w.must(json.Unmarshal([]byte(w.letters[0]), &letter))
		if letter.RequestContext.Condition != "RetriesExhausted" || letter.RequestContext.ApproximateInvokeCount != 3 || letter.RequestPayload.Kind != "start" {
			w.Errorf("letter is %s", w.letters[0])
		}
	})
}

func TestRestart(t *testing.T) {
	bubble(t, func(w *world) {
		spec := Spec{Name: "Monthly", Expression: "cron(0 9 1 * ? *)", Zone: "America/Denver", Function: "compose", Payload: []byte("m")}
		g := w.run(spec, Spec{Name: "Gone", Expression: "rate(1 hour)", Function: "compose", Payload: []byte("gone")})
		w.must(g.Once(w.Context(), "missed", w.start.Add(time.Hour), []byte("missed")))
		w.must(g.Once(w.Context(), "future", w.start.Add(20*24*time.Hour), []byte("future")))
		w.must(g.EveryMinute(w.Context(), "sweep", []byte("s")))
		w.must(g.Once(w.Context(), "fails", w.start, []byte("fails")))
		w.answer = func(context.Context, string) error { return errors.New("broken") }
		w.advance(0)
		w.must(w.Stop(w.Context()))
		w.expect("before", "dispatch fails 0s")
		w.advance(10*24*time.Hour + 10*time.Second) // past the first of January in Denver
		w.expect("while off")

		w.answer = nil
		w.open()
		g = w.Group("tidings", "dispatch", "dlq")
		w.must(g.Once(w.Context(), "early", w.start, []byte("early"))) // before Start
		w.run(spec)
		w.advance(0)
		w.mu.Lock()
		if len(w.calls) != 5 {
			w.Errorf("at the start: %q", w.calls)
		}
		for i, call := range w.calls {
			if !strings.HasSuffix(call, " 240h0m10s") {
				w.Errorf("call %d is %q", i, call)
			}
		}
		w.calls = nil
		w.mu.Unlock()
		w.advance(2 * time.Minute)
		w.expect("two minutes on", "dispatch s 240h1m0s", "dispatch s 240h2m0s")
		w.must(g.Delete(w.Context(), "sweep"))
		w.advance(30 * 24 * time.Hour)
		w.expect("a month on", "dispatch future 480h0m0s", "compose m 760h0m0s")
		w.must(w.Stop(w.Context()))
		w.open()
		w.run(spec)
		w.advance(time.Hour)
		w.expect("a restart at rest")
		if w.kept() != 1 {
			w.Errorf("%d schedules are kept", w.kept())
		}
	})
}

func TestDefaultEvent(t *testing.T) {
	bubble(t, func(w *world) {
		w.run(Spec{Name: "Hourly", Expression: "rate(1 hour)", Function: "compose"})
		var ev map[string]any
		w.answer = func(_ context.Context, payload string) error { return json.Unmarshal([]byte(payload), &ev) }
		w.advance(time.Hour)
		if ev["source"] != "aws.scheduler" || ev["detail-type"] != "Scheduled Event" || ev["time"] != w.start.Add(time.Hour).Format(time.RFC3339) {
			w.Errorf("event is %v", ev)
		}
		w.must(w.Stop(w.Context()))
	})
}

func TestStopWaits(t *testing.T) {
	bubble(t, func(w *world) {
		g := w.run()
		w.answer = func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}
		w.must(g.Once(w.Context(), "hangs", w.start, []byte("x")))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		if err := w.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("stop: %v", err)
		}
		synctest.Wait()
		if w.clock.Busy() != 0 || w.kept() != 1 || len(w.letters) != 0 {
			w.Errorf("busy %d, %d kept, letters %q", w.clock.Busy(), w.kept(), w.letters)
		}
	})
}

func TestRefusals(t *testing.T) {
	bubble(t, func(w *world) {
		g := w.run()
		for _, name := range []string{"", "a b", "a/b", "ü", strings.Repeat("x", 65)} {
			if g.Once(w.Context(), name, w.start, nil) == nil || g.EveryMinute(w.Context(), name, nil) == nil || g.Delete(w.Context(), name) == nil {
				w.Errorf("name %q is taken", name)
			}
		}
		for _, specs := range [][]Spec{{{Name: "a", Expression: "cron(0 9 1 * * *)"}}, {{Name: "a", Expression: "cron(0 9 1 1 ? 1980)"}}, {{Name: "a", Expression: "rate(1 hour)"}, {Name: "a", Expression: "rate(1 hour)"}}} {
			if w.Service.Start(w.Context(), w.function, specs) == nil {
				w.Errorf("taken: %+v", specs)
			}
		}
	})
}
