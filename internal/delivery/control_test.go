package delivery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/digest"
)

// during has something happen while SES works on a call.
func (w *world) during(call int, f func()) {
	w.ses.onCall = func(n int, _ delivery.Bulk) ([]delivery.Result, error, bool) {
		if n == call {
			f()
		}
		return nil, nil, false
	}
}

// must demands that an editor's wish is fulfilled.
func (w *world) must(wish func(context.Context, string) error) {
	w.t.Helper()
	if err := wish(w.t.Context(), testDigest); err != nil {
		w.t.Fatal(err)
	}
}

func TestPauseIsObeyedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 190)
	w.during(2, func() { w.must(w.desk.Pause) })
	w.schedule()
	w.run(3 * time.Hour)
	w.wantStatus(digest.Paused)
	if w.ses.calls != 2 {
		t.Errorf("%d calls, want none after the one under way", w.ses.calls)
	}
	left := w.people.all[189]
	w.people.all[189].Status = audience.Unsubscribed
	w.resume()
	w.run(time.Hour)
	w.wantOnce(left.ID)
}

func TestCancelSkipsTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 190)
	w.during(2, func() { w.must(w.desk.Cancel) })
	w.schedule()
	w.run(time.Hour)
	w.wantStatus(digest.Cancelled)
	if p := w.progress(); w.ses.calls != 2 || p.Accepted != 100 || p.Skipped != 90 || p.Unresolved != 0 {
		t.Errorf("%d calls, progress %+v, want 100 accepted and 90 skipped", w.ses.calls, p)
	}
	if c, err := w.deliveries.Control(t.Context(), testDigest); err != nil || !c.Closed || c.Active() || len(w.sweeps) > 0 {
		t.Errorf("control %+v, %v, sweeps %v, want it closed and left alone", c, err, w.sweeps)
	}
}

func TestCancelledAmbiguityEndsUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		if n != 1 {
			return nil, nil, false
		}
		w.must(w.desk.Cancel)
		for _, e := range b.Entries[:30] {
			w.ses.accept(b, e)
		}
		return nil, refuse(delivery.Ambiguous, "NoAnswer"), true
	}
	w.schedule()
	w.run(time.Hour)
	w.wantStatus(digest.Cancelled)
	if p := w.progress(); p.Accepted != 30 || p.Failed != 20 || p.Skipped != 10 || p.Unresolved != 0 {
		t.Errorf("progress %+v, want 30 by their events, 20 unknown, 10 skipped", p)
	}
}

func TestCancelBeforeTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	w.schedule()
	if err := w.deliveries.Move(t.Context(), testDigest, digest.Cancelled, "Before its hour."); err != nil {
		t.Fatal(err)
	}
	if err := w.EveryMinute(t.Context(), "sweep-"+testDigest+"-1", delivery.SweepMessage(testDigest, 1)); err != nil { // of a start that lost
		t.Fatal(err)
	}
	w.run(time.Hour)
	if len(w.ses.sentAt) > 0 || len(w.sweeps) > 0 {
		t.Errorf("%d sent, sweeps %v", len(w.ses.sentAt), w.sweeps)
	}
}

func TestCanaryHoldsTheRestBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event  string // of each mail; empty: none comes
		limit  time.Duration
		status digest.Status
		sent   int
	}{
		"cannot be rendered": {delivery.EventRenderingFailure, 2 * time.Hour, digest.Paused, 50},
		"is rejected":        {delivery.EventReject, 2 * time.Hour, digest.Paused, 50},
		"is not heard of":    {"", 14 * time.Minute, digest.Sending, 50},
		"is never heard of":  {"", 2 * time.Hour, digest.Paused, 150},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 260)
			w.ses.silent = c.event == ""
			w.ses.eventOf = func(string) string { return c.event }
			w.schedule()
			w.run(c.limit)
			w.wantStatus(c.status)
			if len(w.ses.sentAt) != c.sent {
				t.Errorf("%d sent, want %d", len(w.ses.sentAt), c.sent)
			}
			if messages := len(w.agenda); messages > 4 {
				t.Errorf("%d messages wait: each sweep has added one", messages)
			}
		})
	}
}

func TestCanaryHoldsOtherShardsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	w.ses.rate, w.ses.silent = 1000, true
	w.schedule()
	stray := delivery.ShardMessage(delivery.ShardRef{Digest: testDigest, Shard: 1})
	w.agenda = append(w.agenda, appointment{at: w.now.Add(3 * time.Second), kind: "shard", body: stray})
	w.run(14 * time.Minute)
	if len(w.ses.sentAt) != 50 {
		t.Errorf("%d sent, want the first batch only", len(w.ses.sentAt))
	}
	if messages := len(w.agenda); messages > 4 {
		t.Errorf("%d messages wait", messages)
	}
}

// TestCanaryWhoseEventsAreLost hands the part to the next batch, and after a resumption too.
func TestCanaryWhoseEventsAreLost(t *testing.T) {
	t.Parallel()
	for name, silence := range map[string]time.Duration{"one": 10 * time.Minute, "all, and an editor resumes": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 460)
			w.ses.silent = true
			w.schedule()
			w.run(silence)
			w.ses.silent = false
			if w.digest().Status == digest.Paused {
				if err := w.desk.Resume(t.Context(), testDigest); err != nil {
					t.Fatal(err)
				}
			}
			w.run(48 * time.Hour)
			w.wantStatus(digest.Sent)
			w.wantOnce()
		})
	}
}

func TestCanaryPassesOverBatchesThatReachNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 260)
	var except []string
	for i := range 120 {
		w.people.all[i].Topics = []string{"mood"}
		except = append(except, w.people.all[i].ID)
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce(except...)
}

func TestTooManyBouncesPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	w.ses.rate = 10 // so that the sweeper sees it in time: after one invocation
	for i := range 60 {
		w.ses.later[w.people.all[i].Email] = map[string]string{"type": delivery.EventBounce, "bounceType": "Permanent"}
	}
	w.schedule()
	w.run(time.Hour)
	w.wantStatus(digest.Paused)
	if sent := len(w.ses.sentAt); sent > 800 || !strings.Contains(w.digest().Reason, "bounced") {
		t.Errorf("%d sent before the pause: %s", sent, w.digest().Reason)
	}
	w.resume()
	w.run(time.Hour)
	w.wantOnce() // in spite of the bounces that it was paused for
	if len(w.people.bounced) != 60 {
		t.Errorf("%d suppressed, want 60", len(w.people.bounced))
	}
}

func TestShardThatKillsItsWorkersPauses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	w.schedule()
	w.people.onRead = func() { w.gate.dead = true }
	w.run(3 * time.Hour)
	w.wantStatus(digest.Paused)
	if !strings.Contains(w.digest().Reason, "stopped five times") {
		t.Errorf("reason %q", w.digest().Reason)
	}
	w.people.onRead = nil
	w.resume()
	w.run(time.Hour)
	w.wantOnce()
}

// TestThawedWorkerMakesNoCall freezes a worker between the write of its attempt and its call.
func TestThawedWorkerMakesNoCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	froze := false
	w.gate.before = func(what string) {
		if what == "write B#00000000" && !froze {
			froze = true
			w.now = w.now.Add(15 * time.Second)
		}
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce()
	if !froze || w.ses.mails[0].tags["attempt"] != "2" {
		t.Errorf("froze %v, first accepted attempt %s, want the second", froze, w.ses.mails[0].tags["attempt"])
	}
}

// TestFrozenWorkerLosesTheShard freezes a worker that holds a claim until another has sent it.
func TestFrozenWorkerLosesTheShard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	w.schedule()
	froze := false
	w.people.onRead = func() {
		if !froze {
			froze = true
			w.run(10 * time.Minute) // the world goes on
		}
	}
	w.run(time.Hour)
	w.wantOnce()
	if !froze || !strings.Contains(w.log.String(), "lease lost") {
		t.Errorf("froze %v; log:\n%s", froze, w.log)
	}
}

// frozen is a Personal in which the process is frozen, once.
type frozen struct {
	delivery.Personal
	freeze func()
}

// Entry implements delivery.Personal.
func (f *frozen) Entry(s audience.Subscriber, start time.Time) (map[string]string, []delivery.Header, error) {
	if freeze := f.freeze; freeze != nil {
		f.freeze = nil
		freeze()
	}
	return f.Personal.Entry(s, start)
}

// TestFrozenAfterReading freezes a worker when it has read control and subscribers and written no attempt yet. Somebody leaves
// and an editor pauses meanwhile: what it has read is too old to be sent by.
func TestFrozenAfterReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	gone := &w.people.all[3]
	w.worker.Personal = &frozen{w.worker.Personal, func() {
		gone.Status = audience.Unsubscribed
		if err := w.desk.Pause(context.Background(), testDigest); err != nil {
			t.Error(err)
		}
		w.now = w.now.Add(4 * time.Minute)
	}}
	w.schedule()
	w.run(time.Hour)
	w.wantStatus(digest.Paused)
	if len(w.ses.mails) > 0 {
		t.Fatalf("%d mails after the pause", len(w.ses.mails))
	}
	if err := w.desk.Resume(context.Background(), testDigest); err != nil {
		t.Fatal(err)
	}
	w.run(time.Hour)
	w.wantOnce(gone.ID)
}
