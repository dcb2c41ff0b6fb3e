package delivery_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sort"
	"time"

	"tidings/internal/delivery"
)

// A fakeSES records what it accepts, publishes events a second later, keeps its rate and quota, and misbehaves as told.
type fakeSES struct {
	w       *world
	rate    float64
	tokens  float64   // what the rate lets pass at the moment; at most a second's worth
	filled  time.Time // when tokens was right
	quota   float64
	latency time.Duration
	copies  map[string]int // accepted messages by address
	mails   []sentMail
	sentAt  []time.Time // of each recipient, for the rate
	calls   int
	refused int // calls refused for the rate
	silent  bool
	// onCall may answer a call in SES's place. answered false: SES goes on as usual.
	onCall func(n int, b delivery.Bulk) (results []delivery.Result, err error, answered bool)
	// eventOf may change the type of a recipient's first event.
	eventOf func(to string) string
	later   map[string]map[string]string // address → event that follows the first
	delay   time.Duration                // of events
	read    time.Time
	account delivery.Account
}

type sentMail struct {
	entry delivery.Entry
	tags  map[string]string
}

func newFakeSES(w *world) *fakeSES {
	return &fakeSES{w: w, rate: 200, quota: 50000, latency: 50 * time.Millisecond, delay: time.Second, copies: map[string]int{}, later: map[string]map[string]string{}}
}

// Account implements delivery.Sender and delivery.RateSource, with the adapter's cache of a minute.
func (s *fakeSES) Account(context.Context) (a delivery.Account, err error) {
	err = s.w.gate.pass("account", func() error {
		if s.read.IsZero() || s.w.now.Sub(s.read) >= time.Minute {
			s.read = s.w.now
			s.account = delivery.Account{Rate: s.rate, Quota: s.quota, Sent: float64(s.within(24 * time.Hour)), Enabled: true, ReadTime: s.w.now}
		}
		a = s.account
		return nil
	})
	return a, err
}

// within counts the recipients of the last time.
func (s *fakeSES) within(d time.Duration) int {
	since := s.w.now.Add(-d)
	return len(s.sentAt) - sort.Search(len(s.sentAt), func(i int) bool { return s.sentAt[i].After(since) })
}

// SendBulk implements delivery.Sender.
func (s *fakeSES) SendBulk(_ context.Context, b delivery.Bulk) (results []delivery.Result, err error) {
	err = s.w.gate.pass("send", func() error {
		s.w.now = s.w.now.Add(s.latency)
		s.calls++
		if s.w.now.Sub(b.SignedAt) > 5*time.Minute {
			s.w.t.Error("a call with an old signature")
		}
		if late := s.w.now.Sub(s.w.invoked) - s.w.worker.Budget; !s.w.invoked.IsZero() && late > time.Second/2 {
			s.w.t.Errorf("a call %s after the end of the invocation's budget", late)
		}
		if s.onCall != nil {
			var answered bool
			if results, err, answered = s.onCall(s.calls, b); answered {
				return err
			}
		}
		results, err = s.take(b)
		return err
	})
	return results, err
}

// take is what SES does with a call in order.
func (s *fakeSES) take(b delivery.Bulk) ([]delivery.Result, error) {
	n := len(b.Entries)
	if float64(s.within(24*time.Hour)+n) > s.quota {
		return nil, &delivery.SendError{Verdict: delivery.Quota, Code: "LimitExceededException"}
	}
	s.tokens = min(s.rate, s.tokens+s.w.now.Sub(s.filled).Seconds()*s.rate)
	if s.filled = s.w.now; s.tokens+1e-6 < float64(n) {
		s.refused++
		return nil, &delivery.SendError{Verdict: delivery.Throttled, Code: "TooManyRequestsException"}
	}
	s.tokens -= float64(n)
	results := make([]delivery.Result, n)
	for i, e := range b.Entries {
		s.accept(b, e)
		results[i] = delivery.Result{Status: "SUCCESS", MessageID: s.w.newID()}
	}
	return results, nil
}

// accept takes one message and publishes its events.
func (s *fakeSES) accept(b delivery.Bulk, e delivery.Entry) {
	s.sentAt = append(s.sentAt, s.w.now)
	s.copies[e.To]++
	tags := maps.Clone(b.Tags)
	maps.Copy(tags, e.Tags)
	s.mails = append(s.mails, sentMail{e, tags})
	if s.silent {
		return
	}
	kind := delivery.EventSend
	if s.eventOf != nil {
		kind = s.eventOf(e.To)
	}
	s.publish(tags, map[string]string{"type": kind})
	if more := s.later[e.To]; more != nil {
		s.publish(tags, more)
	} else if kind == delivery.EventSend {
		s.publish(tags, map[string]string{"type": delivery.EventDelivery})
	}
}

func (s *fakeSES) publish(tags, fields map[string]string) {
	ev := map[string]string{"at": s.w.now.Format(time.RFC3339Nano), "messageId": "m"}
	for _, name := range []string{"digest", "shard", "batch", "attempt", "slot"} {
		ev[name] = tags[name]
	}
	maps.Copy(ev, fields)
	body, err := json.Marshal(ev)
	if err != nil {
		s.w.t.Fatal(err)
	}
	s.w.agenda = append(s.w.agenda, appointment{at: s.w.now.Add(s.delay), kind: "event", body: body})
}

// statuses answers a call without taking anything.
func statuses(b delivery.Bulk, status string) []delivery.Result {
	return slices.Repeat([]delivery.Result{{Status: status}}, len(b.Entries))
}
