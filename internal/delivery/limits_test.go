package delivery_test

import (
	"testing"
	"time"

	"tidings/internal/delivery"
)

// used returns the part of SES's rate that was used between two recipients, by SES's own clock.
func (s *fakeSES) used(from, to int) float64 {
	n := 0
	for _, at := range s.sentAt {
		if at.After(s.sentAt[from]) && !at.After(s.sentAt[to]) {
			n++
		}
	}
	return float64(n) / s.sentAt[to].Sub(s.sentAt[from]).Seconds() / s.rate
}

// TestTheRateIsUsed demands nearly all of the rate, and no call that SES refuses.
func TestTheRateIsUsed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		people, warm int
		rate         float64
		latency      time.Duration
	}{{1500, 28, 14, 80 * time.Millisecond}, {2000, 100, 50, 200 * time.Millisecond}, {3000, 200, 200, 30 * time.Millisecond}, {3000, 200, 200, 150 * time.Millisecond}} {
		w := newWorld(t, c.people)
		w.ses.rate, w.ses.latency = c.rate, c.latency
		w.schedule()
		w.run(time.Hour)
		w.wantOnce()
		if used := w.ses.used(c.warm+50, c.people-51); used < 0.98 || used > 0.9851 || w.ses.refused > 0 {
			t.Errorf("rate %v, latency %s: %.2f %% used, %d calls refused", c.rate, c.latency, used*100, w.ses.refused)
		}
	}
}

// TestConfirmationsNeverWait has confirmations go out while a digest uses its rate: neither is refused for the other.
func TestConfirmationsNeverWait(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{14, 60} {
		people := int(rate * 60)
		w := newWorld(t, people)
		w.ses.rate = rate
		every, next, confirmed := time.Duration(150/rate*float64(time.Second)), epoch.Add(10*time.Second), 0 // two thirds of a percent
		w.gate.before = func(string) {
			if w.now.Before(next) {
				return
			}
			next = w.now.Add(every)
			if _, err := w.ses.take(delivery.Bulk{Tags: map[string]string{}, Entries: []delivery.Entry{{To: "new@example.org"}}}); err != nil {
				t.Errorf("rate %v: a confirmation is refused: %v", rate, err)
			}
			confirmed++
		}
		w.schedule()
		w.run(time.Hour)
		w.wantOnce()
		if used := w.ses.used(100, people-100); confirmed < 5 || w.ses.refused > 0 || used < 0.98 {
			t.Errorf("rate %v: %d confirmations, %d calls refused, %.2f %% of the rate used", rate, confirmed, w.ses.refused, used*100)
		}
	}
}

// TestPaceComesBack has SES throttle for a while in the middle of a digest.
func TestPaceComesBack(t *testing.T) {
	t.Parallel()
	const people = 7000
	w, s := newSingly(t, people)
	busy := func() bool { at := w.now.Sub(epoch); return at > 10*time.Second && at < 20*time.Second }
	s.onCall = func(int, delivery.Bulk) ([]delivery.Result, error, bool) {
		return nil, refuse(delivery.Throttled, "TooManyRequestsException"), busy()
	}
	s.onEach = func(int, delivery.Bulk, delivery.Entry) (delivery.Answer, bool) {
		return delivery.Answer{Verdict: delivery.Throttled, Code: "TooManyRequestsException"}, busy()
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce()
	if used := s.used(4500, people-51); used < 0.98 {
		t.Errorf("%.2f %% of the rate used after SES was well again", used*100)
	}
	if s.calls > people/50+10 {
		t.Errorf("%d bulk calls for %d batches: SES was not left alone", s.calls, people/50)
	}
}

// TestReserveIsLeft has confirmations go out while a digest waits for the quota, of which it leaves them a part.
func TestReserveIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1200)
	w.ses.quota = 1000
	w.schedule()
	w.run(30 * time.Minute)
	w.wantStatus("waiting")
	if n := len(w.ses.sentAt); n != 980 {
		t.Errorf("%d sent of a quota of 1,000, want what leaves 2 %%", n)
	}
	if _, err := w.ses.take(delivery.Bulk{Entries: make([]delivery.Entry, 20)}); err != nil {
		t.Errorf("confirmations are refused: %v", err)
	}
	w.run(10 * time.Minute)
	if n := len(w.ses.sentAt); n != 1000 {
		t.Errorf("%d sent, want that the digest takes nothing of what confirmations have used", n)
	}
	w.now = w.now.Add(23 * time.Hour)
	w.run(2 * time.Hour)
	w.wantStatus("sent")
}
