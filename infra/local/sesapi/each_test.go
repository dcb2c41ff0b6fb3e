package sesapi_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tidings/infra/local/sesapi"
	"tidings/internal/delivery"
)

// TestAdapterSendsEach has the same mails go out by a call each and by one call: readers see no difference.
func TestAdapterSendsEach(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.adapter()
	b := l.batch(50)
	bulk, err := a.SendBulk(t.Context(), b)
	if err != nil || len(bulk) != 50 {
		t.Fatal(len(bulk), err)
	}
	for i, answer := range a.SendEach(t.Context(), b) {
		if answer.Verdict != delivery.Accepted {
			t.Errorf("entry %d: %+v", i, answer)
		}
	}
	for i, r := range bulk {
		want, _ := l.Mail(r.MessageID)
		_, both := l.Find(sesapi.Query{To: fmt.Sprintf("reader%d@example.com", i), Limit: 9})
		if len(both) != 2 {
			t.Fatalf("reader %d has %d mails", i, len(both))
		}
		for _, m := range both {
			if got, want := look(m), look(want); got != want {
				t.Errorf("reader %d has different mails: %s, %s", i, got, want)
			}
		}
	}
}

// look is all of a mail but its name.
func look(m *sesapi.Mail) string {
	headers := slices.DeleteFunc(m.Headers(), func(h sesapi.Header) bool { return h.Name == "Message-ID" })
	return fmt.Sprintf("%v %v %q %q", headers, m.Tags(), m.Text(), m.HTML())
}

// TestAdapterEachStops gives each entry its own answer, and makes no call that is known to be in vain.
func TestAdapterEachStops(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault          string
		first          delivery.Verdict // of reader 0
		accepted, most int
	}{
		"one is refused":       {`{"kind":"error","code":"MessageRejected","to":"reader0@example.com"}`, delivery.Refused, 49, 49},
		"one goes unanswered":  {`{"kind":"drop","to":"reader0@example.com"}`, delivery.Ambiguous, 49, 50},
		"SES is busy":          {`{"kind":"error","code":"TooManyRequestsException"}`, delivery.Throttled, 0, 0},
		"the account is stuck": {`{"kind":"error","code":"SendingPausedException"}`, delivery.Halt, 0, 0},
	} {
		l := newLab(t)
		l.change(fmt.Sprintf(`{"faults":[%s]}`, c.fault))
		answers := l.adapter().SendEach(t.Context(), l.batch(50))
		n, made := 0, 0
		for _, a := range answers {
			if a.Verdict == delivery.Accepted {
				n++
			}
			if a.Verdict != delivery.NotMade {
				made++
			}
		}
		if len(answers) != 50 || n != c.accepted || answers[0].Verdict != c.first || l.accepted() != c.most {
			t.Errorf("%s: %d accepted, %d taken by SES, first %+v", name, n, l.accepted(), answers[0])
		}
		if c.accepted == 0 && made > 16 {
			t.Errorf("%s: %d calls in vain", name, made)
		}
	}
}

// TestAdapterEachKeepsTheFence makes no call when t0 is long past.
func TestAdapterEachKeepsTheFence(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	b := l.batch(5)
	b.SignedAt = b.SignedAt.Add(-delivery.CallWithin - time.Second)
	for _, a := range l.adapter().SendEach(t.Context(), b) {
		if a.Verdict != delivery.NotMade {
			t.Errorf("answer %+v to a call that must not be", a)
		}
	}
	if l.accepted() != 0 {
		t.Errorf("%d accepted", l.accepted())
	}
}
