package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tidings/internal/audience"
	"tidings/internal/table"
)

// A window is a span in which things are counted: aligned to the clock, so that counting is one write without a read.
type window struct {
	key  table.Key
	ends time.Time
}

// windowOf returns the window of a limit that now is in. Its counter's item is of no use when it has ended, and goes by TTL.
func windowOf(limit, who string, length time.Duration, now time.Time) window {
	n := now.Unix() / int64(length/time.Second)
	return window{
		key:  table.Key{PK: fmt.Sprintf("LIM#%s#%s#%d", limit, who, n), SK: "C"},
		ends: time.Unix((n+1)*int64(length/time.Second), 0),
	}
}

// The limits: sign-ups by an IP's hash; mails that answer them, fresh links and changes by a subscriber's ID.
const (
	limitIP   = "I"
	limitMail = "M"
	limitLink = "K"
	limitEdit = "E"
	limitMove = "A"
)

// Add implements audience.Requests: the counter of the IP, the episode and the event, in one transaction. The episode is
// written for everybody, those on the list too: what it means is decided where it is read.
func (s Subscribers) Add(ctx context.Context, r audience.Request, perHour int) error {
	doc, err := json.Marshal(r.Event)
	if err != nil {
		return fmt.Errorf("encode sign-up: %w", err)
	}
	event, err := s.eventOp(r.ID, r.Event, audience.PendingLife)
	if err != nil {
		return err
	}
	now := s.Now()
	w := windowOf(limitIP, r.Event.IPHash, time.Hour, now)
	_, err = s.Table.Write(ctx,
		// An episode that has expired and was not yet deleted goes on under its old name. That gives nobody anything: the
		// tokens of its name have expired with it.
		table.Update(episodeKey(r.ID), table.SetIfAbsent("since", r.Event.At.UnixMilli()), table.Set("email", r.Email),
			table.Set("doc", doc), table.Set(table.TTL, r.Event.At.Add(audience.PendingLife).Unix())),
		table.Update(w.key, table.Add("n", 1), table.Set(table.TTL, w.ends.Unix())).
			When(table.Or(table.Absent("n"), table.Lt("n", int64(perHour)))),
		event,
	)
	if _, refused := table.Refused(err, 2); refused {
		return nil // its event is there: refused by its own earlier success
	}
	if _, refused := table.Refused(err, 1); refused {
		return audience.TooManySignUps(w.ends.Sub(now))
	}
	return later(err)
}
