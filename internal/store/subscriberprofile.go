package store

import (
	"context"
	"time"

	"tidings/internal/audience"
	"tidings/internal/table"
)

// Profile implements audience.Profiles.
func (s Subscribers) Profile(ctx context.Context, id string) (audience.Subscriber, error) {
	item, err := s.get(ctx, profileKey(id))
	if err != nil {
		return audience.Subscriber{}, later(err)
	}
	return subscriberOf(id, item), nil
}

// Change implements audience.Profiles: profile, counter and event in one transaction.
func (s Subscribers) Change(ctx context.Context, id string, c audience.Change, e audience.Event, perDay int) error {
	event, err := s.eventOp(id, e, 0)
	if err != nil {
		return err
	}
	now := s.Now()
	w := windowOf(limitEdit, id, 24*time.Hour, now)
	_, err = s.Table.Write(ctx,
		table.Update(profileKey(id), changed(c)...).When(table.Eq("status", string(audience.Confirmed))),
		w.count(perDay),
		event,
	)
	switch _, refused := table.Refused(err, 2); {
	case refused:
		return nil // its event is there: refused by its own earlier success
	case refusedAt(err, 0):
		return audience.NotSubscribed()
	case refusedAt(err, 1):
		return &audience.LimitError{After: w.ends.Sub(now), Why: "Your preferences were changed many times today. Please try again tomorrow."}
	}
	return later(err)
}

// changed writes what a change sets.
func changed(c audience.Change) []table.Action {
	var actions []table.Action
	if c.Name != nil {
		actions = append(actions, setOrRemove("name", *c.Name, *c.Name == ""))
	}
	if c.Topics != nil {
		actions = append(actions, setOrRemove("topics", table.StringSet(*c.Topics), len(*c.Topics) == 0))
	}
	if c.PausedUntil != nil {
		actions = append(actions, setOrRemove("paused", c.PausedUntil.UnixMilli(), c.PausedUntil.IsZero()))
	}
	return actions
}

func setOrRemove(name string, v table.Value, remove bool) table.Action {
	if remove {
		return table.Remove(name)
	}
	return table.Set(name, v)
}

// count counts once in the window, if it has not been counted max times.
func (w window) count(max int) table.Op {
	return table.Update(w.key, table.Add("n", 1), table.Set(table.TTL, w.ends.Unix())).
		When(table.Or(table.Absent("n"), table.Lt("n", int64(max))))
}

// refusedAt reports whether a write was refused at one of its operations.
func refusedAt(err error, op int) bool {
	_, refused := table.Refused(err, op)
	return refused
}
