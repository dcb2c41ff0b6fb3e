package delivery_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tidings/internal/delivery"
)

// A singly is the fake SES by single calls, sixteen at a time, as package ses makes them.
type singly struct {
	*fakeSES
	singles int // calls
	// onEach may answer a call in SES's place.
	onEach func(n int, b delivery.Bulk, e delivery.Entry) (delivery.Answer, bool)
}

// SendEach implements delivery.EachSender.
func (s *singly) SendEach(_ context.Context, b delivery.Bulk) []delivery.Answer {
	answers := slices.Repeat([]delivery.Answer{{Verdict: delivery.NotMade}}, len(b.Entries))
	err := s.w.gate.pass("send each", func() error {
		for i, e := range b.Entries {
			if i%16 == 0 {
				s.w.now = s.w.now.Add(s.latency)
			}
			if s.w.now.Sub(b.SignedAt) > delivery.CallWithin {
				break
			}
			if answers[i] = s.one(b, e); answers[i].ForAll() {
				break
			}
		}
		return nil
	})
	if err != nil { // the process is dead
		return nil
	}
	return answers
}

func (s *singly) one(b delivery.Bulk, e delivery.Entry) delivery.Answer {
	s.singles++
	if s.onEach != nil {
		if a, answered := s.onEach(s.singles, b, e); answered {
			return a
		}
	}
	if _, err := s.take(delivery.Bulk{Tags: b.Tags, Entries: []delivery.Entry{e}}); err != nil {
		return delivery.Answer{Verdict: delivery.Throttled, Code: "TooManyRequestsException"}
	}
	return delivery.Answer{Verdict: delivery.Accepted}
}

// limitCalls has SES take a bulk call in so long.
func (s *singly) limitCalls(every time.Duration) (refused *int) {
	var last time.Time
	refused = new(int)
	s.onCall = func(int, delivery.Bulk) ([]delivery.Result, error, bool) {
		if s.w.now.Sub(last) < every {
			*refused++
			return nil, refuse(delivery.Throttled, "TooManyRequestsException"), true
		}
		last = s.w.now
		return nil, nil, false
	}
	return refused
}

func newSingly(t *testing.T, people int) (*world, *singly) {
	w := newWorld(t, people)
	s := &singly{fakeSES: w.ses}
	w.worker.Each = s
	return w, s
}

// TestSinglesFillTheRate has SES take one bulk call a second, and demands the rate all the same.
func TestSinglesFillTheRate(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{500 * time.Millisecond, time.Second, 5 * time.Second} {
		const people, rate = 5000, 200
		w, s := newSingly(t, people)
		refused := s.limitCalls(every)
		w.schedule()
		w.run(time.Hour)
		w.wantOnce()
		from := 2000 // until then the limit is found
		used := s.used(from, people-51)
		if used < 0.98 || s.refused > 0 {
			t.Errorf("a bulk call in %s: %.1f %% of the rate used, %d calls refused for recipients", every, used*100, s.refused)
		}
		if bulk := s.calls - *refused; bulk < int(0.4*float64(people/rate)/every.Seconds()) || *refused > 8 {
			t.Errorf("a bulk call in %s: %d bulk calls taken, %d refused, %d single ones", every, bulk, *refused, s.singles)
		}
	}
}

// TestNoLimitNoSingles sends by bulk calls alone where nothing limits them, also after throttles for another reason.
func TestNoLimitNoSingles(t *testing.T) {
	t.Parallel()
	w, s := newSingly(t, 1000)
	w.schedule()
	w.run(time.Hour)
	w.wantOnce()
	if s.singles > 0 || s.calls != 20 {
		t.Errorf("%d single calls, %d bulk calls; want 20 bulk calls", s.singles, s.calls)
	}
}

// TestBusyForRecipients is an account whose rate somebody else uses too: single sends meet the same throttles, and are not
// taken for a way around.
func TestBusyForRecipients(t *testing.T) {
	t.Parallel()
	w, s := newSingly(t, 2000)
	s.onCall = func(_ int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		return nil, refuse(delivery.Throttled, "TooManyRequestsException"), s.within(time.Second)+len(b.Entries) > 60
	}
	s.onEach = func(int, delivery.Bulk, delivery.Entry) (delivery.Answer, bool) {
		return delivery.Answer{Verdict: delivery.Throttled, Code: "TooManyRequestsException"}, s.within(time.Second) >= 60
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce()
	if took := w.digest().EndedAt.Sub(epoch); took > 5*time.Minute {
		t.Errorf("2,000 recipients at 60 a second took %s", took)
	}
	throttled := s.singles + s.calls*50 - 2000
	t.Logf("%d bulk and %d single calls, about %d recipients asked for in vain", s.calls, s.singles, throttled)
}

// TestSinglesHaveTheirOwnAnswers refuses one person for good and leaves one answer out: nobody else is touched.
func TestSinglesHaveTheirOwnAnswers(t *testing.T) {
	t.Parallel()
	for _, took := range []bool{false, true} {
		w, s := newSingly(t, 1000)
		s.limitCalls(30 * time.Second)
		bad, lost := "", ""
		limited := s.onCall
		s.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
			if slices.ContainsFunc(b.Entries, func(e delivery.Entry) bool { return e.To == bad }) {
				return nil, refuse(delivery.Refused, "MessageRejected"), true
			}
			return limited(n, b)
		}
		s.onEach = func(n int, b delivery.Bulk, e delivery.Entry) (delivery.Answer, bool) {
			switch {
			case e.To == bad, n == 20:
				bad = e.To
				return delivery.Answer{Verdict: delivery.Refused, Code: "MessageRejected"}, true
			case n == 30:
				lost = e.To
				if took {
					s.accept(b, e)
				}
				return delivery.Answer{Verdict: delivery.Ambiguous, Code: "NoAnswer"}, true
			}
			return delivery.Answer{}, false
		}
		w.schedule()
		w.run(time.Hour)
		except := ""
		for _, p := range w.people.all {
			if p.Email == bad {
				except = p.ID
			}
		}
		if lost == "" || except == "" {
			t.Fatal("there were no single calls")
		}
		w.wantOnce(except)
	}
}

// TestSinglesNobodyIsToBlameFor are refused one and all: the digest pauses, and nobody is given up.
func TestSinglesNobodyIsToBlameFor(t *testing.T) {
	t.Parallel()
	for verdict, reason := range map[delivery.Verdict]string{delivery.Refused: "invalid", delivery.Halt: "refuses to send", delivery.Quota: "quota"} {
		w, s := newSingly(t, 190)
		broken := true
		s.onCall = func(n int, _ delivery.Bulk) ([]delivery.Result, error, bool) {
			return nil, refuse(delivery.Throttled, "TooManyRequestsException"), n > 1 && broken
		}
		s.onEach = func(int, delivery.Bulk, delivery.Entry) (delivery.Answer, bool) {
			return delivery.Answer{Verdict: verdict, Code: "Code"}, broken
		}
		w.schedule()
		w.run(10 * time.Minute)
		if d := w.digest(); d.Status == "sending" || s.singles < 1 || len(s.sentAt) != 50 || w.progress().Failed > 0 {
			t.Errorf("%s: digest %s (%s), %d single calls, %d sent", reason, d.Status, d.Reason, s.singles, len(s.sentAt))
		}
		broken = false
		if verdict != delivery.Quota {
			w.resume()
		}
		w.run(time.Hour)
		w.wantOnce()
	}
}

// TestSlowSinglesKeepTheFence has calls so slow that most of an attempt would begin too late: they are not made.
func TestSlowSinglesKeepTheFence(t *testing.T) {
	t.Parallel()
	w, s := newSingly(t, 400)
	s.limitCalls(time.Hour)
	s.onEach = func(int, delivery.Bulk, delivery.Entry) (delivery.Answer, bool) {
		w.now = w.now.Add(300 * time.Millisecond)
		return delivery.Answer{}, false
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce()
}

// TestCrashAmongSingles kills the process at random moments while it sends by single calls.
func TestCrashAmongSingles(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 2))
		w, s := newSingly(t, 500)
		s.limitCalls(5 * time.Second)
		w.schedule()
		w.gate.calls = 0
		for range 5 {
			w.gate.killAt, w.gate.after = w.gate.calls+1+r.IntN(150), r.IntN(2) == 0
			w.run(time.Duration(r.IntN(600)) * time.Second)
		}
		w.gate.killAt = 0
		w.run(48 * time.Hour)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		w.wantOnce()
		if s.singles == 0 {
			t.Fatal("no single calls")
		}
	}
}
