package delivery_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tidings/internal/delivery"
)

// TestCrashAnywhere kills the process at each port call in turn, before the call's effect and after it, and demands that
// everyone gets one copy all the same.
func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	const people = 105 // three batches
	calm := newWorld(t, people)
	calm.schedule()
	calm.gate.calls, calm.gate.trace = 0, nil
	calm.run(24 * time.Hour)
	calls := calm.gate.trace
	calm.wantOnce()
	killed := map[string]int{}
	for i, what := range calls {
		if i > 0 && what == "index" && calls[i-1] == what {
			continue // each of the 64 partitions is read, and no read differs from the one before
		}
		k := i + 1
		for _, after := range []bool{false, true} {
			w := newWorld(t, people)
			w.schedule()
			w.gate.calls, w.gate.killAt, w.gate.after = 0, k, after
			w.run(24 * time.Hour)
			w.gate.killAt = 0
			if t.Failed() {
				t.Fatalf("killed at call %d (%s, after %v)", k, w.gate.passed, after)
			}
			w.wantOnce()
			killed[w.gate.passed]++
		}
	}
	for _, what := range []string{"send", "write B#00000000", "write O#00000000", "write S", "write A", "write P", "people", "account", "queue", "schedule", "unschedule"} {
		if killed[what] == 0 {
			t.Errorf("never killed at %q; killed at %v", what, killed)
		}
	}
}

// TestCrashAgainAndAgain kills at random moments, several times a run, with the canary out.
func TestCrashAgainAndAgain(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, 260)
		w.schedule()
		w.gate.calls = 0
		for range 4 {
			w.gate.killAt, w.gate.after = w.gate.calls+1+r.IntN(60), r.IntN(2) == 0
			w.run(time.Duration(r.IntN(600)) * time.Second)
		}
		w.gate.killAt = 0
		w.run(48 * time.Hour)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		w.wantOnce()
	}
}

// TestLostAnswers lets SES answer not at all, having taken everything, some or nothing.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, took := range []int{0, 1, 25, 50} {
		t.Run(fmt.Sprint(took), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 105)
			w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
				if n != 2 {
					return nil, nil, false
				}
				for _, e := range b.Entries[:took] {
					w.ses.accept(b, e)
				}
				return nil, &delivery.SendError{Verdict: delivery.Ambiguous, Code: "NoAnswer"}, true
			}
			w.schedule()
			w.run(6 * time.Minute)
			if took < 50 && w.ses.copies[w.people.all[99].Email] > 0 {
				t.Error("sent again within the grace")
			}
			w.run(time.Hour)
			w.wantOnce()
		})
	}
}

// TestSilentEventsMakeSESWait shows that without events nothing is sent twice: what can't be known is called so after a day.
func TestSilentEventsMakeItWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	w.ses.silent = true
	w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		if n != 2 {
			return nil, nil, false
		}
		for _, e := range b.Entries[:4] {
			w.ses.accept(b, e)
		}
		return nil, errors.New("reset"), true
	}
	w.schedule()
	w.run(23 * time.Hour)
	if p := w.progress(); p.Accepted != 50 || p.Unresolved != 10 {
		t.Fatalf("progress %+v after 23 h, want 50 accepted and 10 unresolved", p)
	}
	probes := w.ses.copies[delivery.ProbeAddress]
	if probes < 23*55 || probes > 23*60+1 {
		t.Errorf("%d probes in 23 h, want about one a minute", probes)
	}
	w.run(2 * time.Hour)
	w.wantStatus("sent")
	if p := w.progress(); p.Accepted != 50 || p.Failed != 10 || p.Unresolved != 0 {
		t.Errorf("progress %+v, want the 10 failed", p)
	}
	for _, s := range w.people.all {
		if w.ses.copies[s.Email] > 1 {
			t.Fatalf("%s got %d copies", s.ID, w.ses.copies[s.Email])
		}
	}
}
