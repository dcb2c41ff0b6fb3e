package delivery_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/store"
)

// A pile is a queue of which only the depth is known.
type pile struct {
	messages int
	err      error
}

// Depth implements delivery.Measured.
func (p *pile) Depth(context.Context) (delivery.Depth, error) {
	return delivery.Depth{Messages: p.messages, Visibility: 400 * time.Second}, p.err
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	gone := errors.New("no such queue")
	for name, c := range map[string]struct {
		events, dead pile
		since, late  time.Duration // ago; late 0: never
		clear, fails bool
	}{
		"both empty": {since: time.Second, clear: true},
		"both empty, something was late just now": {since: time.Second, late: time.Second, clear: true},
		"a dead letter":                       {dead: pile{messages: 1}, since: time.Hour},
		"a dead letter in the flow":           {events: pile{messages: 9}, dead: pile{messages: 1}, since: time.Hour},
		"flow, and an event might come again": {events: pile{messages: 9}, since: 134 * time.Minute},
		"flow, all would have come again":     {events: pile{messages: 9}, since: 135 * time.Minute, clear: true},
		"flow, something was late":            {events: pile{messages: 9}, since: 3 * time.Hour, late: 134 * time.Minute},
		"flow, something was late long ago":   {events: pile{messages: 9}, since: 3 * time.Hour, late: 135 * time.Minute, clear: true},
		"no queue":                            {events: pile{err: gone}, since: time.Hour, fails: true},
		"no dead-letter queue":                {dead: pile{err: gone}, since: time.Hour, fails: true},
	} {
		w := newWorld(t, 0)
		now := func() time.Time { return w.now }
		lateness := store.Witness{Table: w.db, Now: now}
		if c.late > 0 {
			for _, ago := range []time.Duration{c.late + time.Hour, c.late, c.late + time.Minute} { // the latest stays
				if err := lateness.Late(t.Context(), w.now.Add(-ago)); err != nil {
					t.Fatal(err)
				}
			}
		}
		q := &delivery.QueueBacklog{Events: &c.events, Dead: &c.dead, Lateness: lateness, Now: now}
		if clear, err := q.Clear(t.Context(), w.now.Add(-c.since)); clear != c.clear || (err != nil) != c.fails {
			t.Errorf("%s: clear %v, %v", name, clear, err)
		}
	}
}

func TestLateEventsAreNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	lateness := store.Witness{Table: w.db, Now: func() time.Time { return w.now }}
	w.feedback.Lateness = lateness
	for _, c := range []struct {
		oldest time.Duration
		again  bool
		late   bool
	}{{59 * time.Second, false, false}, {61 * time.Second, false, true}, {time.Second, true, true}} {
		w.now = w.now.Add(time.Hour)
		if err := w.feedback.Arrived(t.Context(), c.oldest, c.again, w.now); err != nil {
			t.Fatal(err)
		}
		if at, err := lateness.LastLate(t.Context()); err != nil || at.Equal(w.now) != c.late {
			t.Errorf("%+v: late at %s, %v; it is %s", c, at, err, w.now)
		}
	}
}

// TestWaitingEventsKeepAttemptsBack has the event of a mail whose answer was lost wait in the queue, or in the dead-letter queue:
// nothing is sent again while it does, and nobody twice when it comes.
func TestWaitingEventsKeepAttemptsBack(t *testing.T) {
	t.Parallel()
	for _, dead := range []bool{false, true} {
		w := newWorld(t, 60)
		events, letters := &pile{}, &pile{}
		w.worker.Witness.(*delivery.EventWitness).Backlog = &delivery.QueueBacklog{
			Events: events, Dead: letters, Lateness: store.Witness{Table: w.db, Now: func() time.Time { return w.now }}, Now: func() time.Time { return w.now },
		}
		w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
			if n != 1 {
				return nil, nil, false
			}
			w.ses.delay = 40 * time.Minute // of these events only
			for _, e := range b.Entries {
				w.ses.accept(b, e)
			}
			w.ses.delay = time.Second
			if events.messages = 100; dead {
				events.messages, letters.messages = 0, 100
			}
			return nil, refuse(delivery.Ambiguous, "NoAnswer"), true
		}
		w.schedule()
		stuck := store.Witness{Table: w.db, Now: func() time.Time { return w.now }}
		for range 38 {
			w.run(time.Minute)
			if err := stuck.Late(t.Context(), w.now); err != nil { // as feedback finds
				t.Fatal(err)
			}
		}
		if p := w.progress(); p.Unresolved != 50 || p.Accepted != 10 {
			t.Errorf("dead %v: progress %+v, want the 50 unresolved", dead, p)
		}
		w.run(3 * time.Minute)
		events.messages, letters.messages = 0, 0
		w.run(time.Hour)
		w.wantOnce()
	}
}
