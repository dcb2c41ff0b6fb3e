package delivery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/table"
)

// TestMessagesOfNothing are of digests and shards that there are not, of dispatch, or of nobody: they come again until they
// are dead letters, with the reason in the log, and keep no other message of their batch back.
func TestMessagesOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 300)
	w.schedule()
	w.run(100 * time.Millisecond) // the canary is out
	room := newPostRoom(t)
	room.signUp()
	in := &delivery.Intake{Worker: w.worker, Singles: room.Singles, Log: w.worker.Log}
	bodies := map[string]string{
		"unknown digest": `{"kind":"shard","digest":"nothing"}`,
		"unknown shard":  `{"kind":"shard","digest":"` + testDigest + `","shard":7}`,
		"no such shard":  `{"kind":"shard","digest":"` + testDigest + `","shard":64}`,
		"no digest":      `{"kind":"shard"}`,
		"odd digest":     `{"kind":"shard","digest":"ana@example.org"}`,
		"start":          `{"kind":"start","digest":"` + testDigest + `","version":1}`,
		"sweep":          `{"kind":"sweep","digest":"` + testDigest + `"}`,
		"kind":           `{"kind":"party","digest":"` + testDigest + `"}`,
		"text":           `hello ana@example.org`,
		"good shard":     string(delivery.ShardMessage(delivery.ShardRef{Digest: testDigest})),
		"good mail":      `{"kind":"signup","subscriber":"` + singleID + `"}`,
	}
	var messages []delivery.Received
	for name, body := range bodies {
		messages = append(messages, delivery.Received{ID: name, Body: []byte(body), Receives: 1})
	}
	failed := in.Handle(t.Context(), messages)
	if len(failed) != len(bodies)-2 || slices.Contains(failed, "good shard") || slices.Contains(failed, "good mail") {
		t.Errorf("failed: %v", failed)
	}
	room.mails(confirmSubject)
	log := w.log.String() + room.log.String()
	for _, id := range failed {
		line := fmt.Sprintf("message=%q", id)
		if !strings.Contains(log, line) && !strings.Contains(log, `"message":"`+id+`"`) && !strings.Contains(log, "message="+id+" ") {
			t.Errorf("no reason for %q in the log:\n%s", id, log)
		}
	}
	if strings.Contains(log, "ana@") {
		t.Errorf("the log repeats a message:\n%s", log)
	}
	w.run(time.Hour)
	w.wantOnce()
}

// TestMessagesOfWhatIsOver ask for work on digests that are paused, cancelled or sent: nothing happens, and they are done.
func TestMessagesOfWhatIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	w.during(1, func() { w.must(w.desk.Pause) })
	w.schedule()
	ask := func() {
		t.Helper()
		sent := len(w.ses.sentAt)
		if err := w.worker.Run(t.Context(), delivery.ShardRef{Digest: testDigest}); err != nil || len(w.ses.sentAt) != sent {
			t.Errorf("%s: %d more sent, %v", w.digest().Status, len(w.ses.sentAt)-sent, err)
		}
	}
	ask() // it has not started
	w.run(time.Hour)
	w.wantStatus(digest.Paused)
	ask()
	w.must(w.desk.Cancel)
	w.run(time.Hour)
	w.wantStatus(digest.Cancelled)
	ask()
}

// TestCancelledBatches are a claim whose worker died, one whose call was throttled, and one whose answer was lost, at the time of
// the cancellation.
func TestCancelledBatches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  error
		die     bool
		skipped int64
		failed  int64
	}{
		"claimed":   {die: true, skipped: 60},
		"throttled": {answer: refuse(delivery.Throttled, "TooManyRequestsException"), skipped: 60},
		"lost":      {answer: refuse(delivery.Ambiguous, "NoAnswer"), skipped: 10, failed: 50},
	} {
		w := newWorld(t, 60)
		w.ses.onCall = func(n int, _ delivery.Bulk) ([]delivery.Result, error, bool) {
			if n == 1 {
				w.must(w.desk.Cancel)
			}
			return nil, c.answer, n == 1
		}
		if c.die {
			w.people.onRead = func() {
				w.must(w.desk.Cancel)
				w.gate.dead, w.people.onRead = true, nil
			}
		}
		w.schedule()
		w.run(3 * time.Hour)
		w.wantStatus(digest.Cancelled)
		if p := w.progress(); p.Skipped != c.skipped || p.Failed != c.failed || p.Unresolved != 0 || p.Accepted != 0 || len(w.ses.sentAt) > 1 {
			t.Errorf("%s: %+v, %d sent", name, p, len(w.ses.sentAt))
		}
	}
}

// TestLeavingBetweenAttempts has people go after a claim, and after an attempt that was throttled: they are in no later one.
func TestLeavingBetweenAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	p := w.people.all
	w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		switch n {
		case 1:
			p[3].Status, p[4].Status = audience.Unsubscribed, audience.Complained
		case 2:
			p[5] = audience.Subscriber{ID: p[5].ID, Email: p[5].Email, Status: audience.Erased}
		}
		return nil, refuse(delivery.Throttled, "TooManyRequestsException"), n <= 2
	}
	w.schedule()
	w.run(time.Hour)
	w.wantOnce(p[3].ID, p[4].ID, p[5].ID)
	if got := w.progress(); got.Skipped != 3 || got.Audience != 60 {
		t.Errorf("progress %+v", got)
	}
}

// TestRejectedInTheMiddle has SES refuse the 26th of a batch, by its status and by the whole call: the other 49 get one copy.
func TestRejectedInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{false, true} {
		w := newWorld(t, 50)
		bad := w.people.all[25].Email
		w.ses.onCall = func(_ int, b delivery.Bulk) ([]delivery.Result, error, bool) {
			at := slices.IndexFunc(b.Entries, func(e delivery.Entry) bool { return e.To == bad })
			if at < 0 || whole {
				return nil, refuse(delivery.Refused, "BadRequestException"), at >= 0
			}
			var results []delivery.Result
			for i, e := range b.Entries {
				if i == at {
					results = append(results, delivery.Result{Status: "MESSAGE_REJECTED"})
					continue
				}
				w.ses.accept(b, e)
				results = append(results, delivery.Result{Status: "SUCCESS", MessageID: "m"})
			}
			return results, nil, true
		}
		w.schedule()
		w.run(time.Hour)
		w.wantOnce(w.people.all[25].ID)
		if p := w.progress(); p.Failed != 1 || p.Accepted != 49 {
			t.Errorf("whole %v: progress %+v", whole, p)
		}
	}
}

// TestMixedAnswerWithoutEvents has the events of a mixed answer get lost while others come: SES has said of how many it took, so
// that nobody of them is sent a second copy.
func TestMixedAnswerWithoutEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 190)
	w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		if n != 2 {
			return nil, nil, false
		}
		var results []delivery.Result
		for i, e := range b.Entries {
			if i == 7 {
				results = append(results, delivery.Result{Status: "FAILED"})
				continue
			}
			w.ses.silent = i%10 == 0 // five events are lost
			w.ses.accept(b, e)
			results = append(results, delivery.Result{Status: "SUCCESS", MessageID: "m"})
		}
		w.ses.silent = false
		return results, nil, true
	}
	w.schedule()
	w.run(26 * time.Hour)
	w.wantStatus(digest.Sent)
	for _, s := range w.people.all {
		if w.ses.copies[s.Email] > 1 {
			t.Fatalf("%s got %d copies", s.ID, w.ses.copies[s.Email])
		}
	}
	if p := w.progress(); p.Failed != 6 || p.Duplicates != 0 || p.Accepted != 184 {
		t.Errorf("progress %+v, want 6 whose mail's fate is unknown", p)
	}
}

// TestContentThatNothingFills is found before anybody is sent anything, whatever the size of the list.
func TestContentThatNothingFills(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{{nickname}}", "{{#if name}}x{{/if}}", "{{name", "{{{name}}}"} {
		for _, people := range []int{1, 300} {
			w := newWorld(t, people)
			w.words = text
			w.schedule()
			w.run(time.Hour)
			w.wantStatus(digest.Paused)
			if d := w.digest(); w.ses.calls > 0 || !strings.Contains(d.Reason, "substitution") || w.progress().Accepted != 0 {
				t.Errorf("%q: %d calls, reason %q", text, w.ses.calls, d.Reason)
			}
			w.must(w.desk.Cancel)
			w.run(time.Hour)
			w.wantStatus(digest.Cancelled)
			if p := w.progress(); p.Skipped != int64(people) || p.Unresolved != 0 {
				t.Errorf("%q: progress %+v", text, p)
			}
		}
	}
}

// TestContentThatChangesOnTheWay pauses the digest with the reason.
func TestContentThatChangesOnTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 190)
	w.ses.rate = 1
	w.schedule()
	w.during(1, func() {
		item, err := w.db.Get(t.Context(), table.Key{PK: "DIG#" + testDigest, SK: "C"})
		if err != nil {
			t.Fatal(err)
		}
		item["doc"] = []byte(strings.ReplaceAll(string(item["doc"].([]byte)), "News", "Other news"))
		if _, err := w.db.Write(t.Context(), table.Put(item)); err != nil {
			t.Fatal(err)
		}
	})
	w.run(time.Hour)
	w.wantStatus(digest.Paused)
	if d := w.digest(); !strings.Contains(d.Reason, "content is not what") || len(w.ses.sentAt) > 80 {
		t.Errorf("%d sent: %s", len(w.ses.sentAt), d.Reason)
	}
}
