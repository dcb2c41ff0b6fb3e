package delivery_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/digest"
)

func refuse(v delivery.Verdict, code string) error {
	return &delivery.SendError{Verdict: v, Code: code}
}

func TestThrottlesLoseAndDoubleNobody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		onCall func(n int, b delivery.Bulk) ([]delivery.Result, error, bool)
	}{
		{"error for whole calls", func(n int, _ delivery.Bulk) ([]delivery.Result, error, bool) {
			return nil, refuse(delivery.Throttled, "TooManyRequestsException"), n%3 != 0
		}},
		{"status of all entries", func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
			return statuses(b, "ACCOUNT_THROTTLED"), nil, n%2 == 0
		}},
		{"for ten minutes", func(n int, _ delivery.Bulk) ([]delivery.Result, error, bool) {
			return nil, refuse(delivery.Throttled, "ThrottlingException"), n > 2 && n < 20
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 260)
			w.ses.onCall = c.onCall
			w.schedule()
			w.run(2 * time.Hour)
			w.wantOnce()
			if n := w.ses.calls; n > 60 {
				t.Errorf("%d calls for 6 batches: SES was not left alone", n)
			}
		})
	}
}

// TestLimitedCalls is an account that takes one bulk call a second, as SES's quotas page may be read.
func TestLimitedCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	var last time.Time
	w.ses.onCall = func(int, delivery.Bulk) ([]delivery.Result, error, bool) {
		if w.now.Sub(last) < time.Second {
			w.ses.refused++
			return nil, refuse(delivery.Throttled, "TooManyRequestsException"), true
		}
		last = w.now
		return nil, nil, false
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce()
	if took := w.digest().EndedAt.Sub(epoch); took > 90*time.Second {
		t.Errorf("20 calls at one a second took %s", took)
	}
}

// TestPaceIsKeptAcrossInvocations has small rates, and budgets so small that each invocation makes a call or two.
func TestPaceIsKeptAcrossInvocations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate   float64
		budget time.Duration
	}{{1, 75 * time.Second}, {14, 75 * time.Second}, {1, 400 * time.Millisecond}, {60, 200 * time.Millisecond}, {60, 60 * time.Millisecond}} {
		w := newWorld(t, 70)
		w.ses.rate, w.worker.Budget = c.rate, c.budget
		w.schedule()
		w.run(time.Hour)
		w.wantOnce()
		if w.ses.refused > 0 {
			t.Errorf("rate %v, budget %s: %d calls refused for their rate", c.rate, c.budget, w.ses.refused)
		}
	}
}

func TestDailyQuotaIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} { // by the account, or by refusals only
		w := newWorld(t, 150)
		w.ses.quota = 100
		if !told {
			w.ses.onCall = func(_ int, b delivery.Bulk) ([]delivery.Result, error, bool) {
				over := w.ses.within(24*time.Hour)+len(b.Entries) > 100
				return nil, refuse(delivery.Quota, "LimitExceededException"), over
			}
			w.ses.quota = 1e6
		}
		w.schedule()
		w.run(time.Hour)
		w.wantStatus(digest.Waiting)
		if sent := len(w.ses.sentAt); sent < 90 || sent > 100 {
			t.Errorf("%d sent of a quota of 100", sent)
		}
		if told && (w.ses.calls != 2 || len(w.ses.sentAt) != 98) {
			t.Errorf("%d sent in %d calls, want 98 in 2: the account tells how much room there is", len(w.ses.sentAt), w.ses.calls)
		}
		w.now = w.now.Add(22 * time.Hour) // one sweep instead of a thousand
		w.run(2 * time.Hour)
		w.wantOnce()
	}
}

func TestHaltingAnswersPause(t *testing.T) {
	t.Parallel()
	for _, answer := range []func(b delivery.Bulk) ([]delivery.Result, error){
		func(b delivery.Bulk) ([]delivery.Result, error) {
			return statuses(b, "CONFIGURATION_SET_SENDING_PAUSED"), nil
		},
		func(delivery.Bulk) ([]delivery.Result, error) {
			return nil, refuse(delivery.Halt, "SendingPausedException")
		},
	} {
		w := newWorld(t, 105)
		mended := false
		w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
			results, err := answer(b)
			return results, err, n >= 2 && !mended
		}
		w.schedule()
		w.run(3 * time.Hour)
		w.wantStatus(digest.Paused)
		if d := w.digest(); !strings.Contains(d.Reason, "PAUSED") && !strings.Contains(d.Reason, "Paused") || w.ses.calls != 2 {
			t.Errorf("reason %q after %d calls", d.Reason, w.ses.calls)
		}
		mended = true
		w.resume()
		w.run(time.Hour)
		w.wantOnce()
	}
}

// resume is an editor's.
func (w *world) resume() {
	w.t.Helper()
	if err := w.desk.Resume(w.t.Context(), testDigest); err != nil {
		w.t.Fatal(err)
	}
}

func TestRefusedCallsAreBisected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 105)
	bad := []string{w.people.all[3].Email, w.people.all[4].Email, w.people.all[77].Email}
	w.ses.onCall = func(_ int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		has := slices.ContainsFunc(b.Entries, func(e delivery.Entry) bool { return slices.Contains(bad, e.To) })
		return nil, refuse(delivery.Refused, "BadRequestException"), has
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce(w.people.all[3].ID, w.people.all[4].ID, w.people.all[77].ID)
	if p := w.progress(); p.Failed != 3 || p.Audience != 105 {
		t.Errorf("progress %+v, want 3 failed", p)
	}
}

// TestAmbiguousHalfStopsTheBisection is a call refused whole whose first half then goes unanswered: the second must wait, or
// the ledger would forget the first, and it would be sent again.
func TestAmbiguousHalfStopsTheBisection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 50)
	w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		switch n {
		case 1:
			return nil, refuse(delivery.Refused, "BadRequestException"), true
		case 2:
			w.ses.delay = 3 * time.Minute // longer than until the sweeper looks
			for _, e := range b.Entries {
				w.ses.accept(b, e)
			}
			return nil, refuse(delivery.Ambiguous, "NoAnswer"), true
		}
		return nil, nil, false
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce()
}

// TestRefusedCallsLeaveTheQuota bisects when the quota has little more room than one batch.
func TestRefusedCallsLeaveTheQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 50)
	w.ses.quota = 60
	bad := w.people.all[3]
	w.ses.onCall = func(_ int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		has := slices.ContainsFunc(b.Entries, func(e delivery.Entry) bool { return e.To == bad.Email })
		return nil, refuse(delivery.Refused, "BadRequestException"), has
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce(bad.ID)
}

func TestCallsThatAreAllRefusedPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	broken := true
	w.ses.onCall = func(int, delivery.Bulk) ([]delivery.Result, error, bool) {
		return nil, refuse(delivery.Refused, "BadRequestException"), broken
	}
	w.schedule()
	w.run(time.Hour)
	w.wantStatus(digest.Paused)
	if p := w.progress(); p.Failed != 0 {
		t.Errorf("progress %+v: people were given up for a fault that is not theirs", p)
	}
	broken = false
	w.resume()
	w.run(time.Hour)
	w.wantOnce()

	alone := newWorld(t, 1)
	alone.ses.onCall = w.ses.onCall
	broken = true
	alone.schedule()
	alone.run(time.Hour)
	alone.wantOnce(alone.people.all[0].ID)
}

func TestMixedAnswersCloseByEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 105)
	bad := w.people.all[60].Email
	w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		var results []delivery.Result
		mixed := false
		for i, e := range b.Entries {
			switch {
			case e.To == bad:
				results, mixed = append(results, delivery.Result{Status: "MESSAGE_REJECTED"}), true
			case n == 1 && i%2 == 0:
				results, mixed = append(results, delivery.Result{Status: "TRANSIENT_FAILURE"}), true
			case n == 1 && i%5 == 0:
				results, mixed = append(results, delivery.Result{Status: "ACCOUNT_THROTTLED"}), true
			default:
				results = append(results, delivery.Result{Status: "SUCCESS"})
			}
		}
		if mixed {
			for i, e := range b.Entries {
				if results[i].Status == "SUCCESS" {
					w.ses.accept(b, e)
				}
			}
			slices.Reverse(results) // no order is promised
		}
		return results, nil, mixed
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce(w.people.all[60].ID)
}

func TestFailedIsTriedAgainWithinBounds(t *testing.T) {
	t.Parallel()
	for _, calls := range []int{2, 1 << 30} {
		w := newWorld(t, 20)
		w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
			return statuses(b, "FAILED"), nil, n <= calls && len(b.Entries) > 1
		}
		w.schedule()
		w.run(72 * time.Hour)
		if calls == 2 {
			w.wantOnce()
			continue
		}
		w.wantStatus(digest.Sent)
		if p := w.progress(); p.Failed != 20 {
			t.Errorf("progress %+v, want all failed after a day", p)
		}
	}
}

func TestThreeUnclearAnswersPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 190)
	w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		if n > 3 {
			return nil, nil, false
		}
		for _, e := range b.Entries {
			w.ses.accept(b, e)
		}
		return nil, refuse(delivery.Ambiguous, "NoAnswer"), true
	}
	w.schedule()
	w.run(time.Hour)
	w.wantStatus(digest.Paused)
	if w.ses.calls != 3 || !strings.Contains(w.digest().Reason, "three calls") {
		t.Errorf("paused after %d calls: %s", w.ses.calls, w.digest().Reason)
	}
	w.resume()
	w.run(time.Hour)
	w.wantOnce()
}
