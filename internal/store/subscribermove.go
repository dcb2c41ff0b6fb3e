package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tidings/internal/audience"
	"tidings/internal/table"
)

// A change of address waits at S#<new>/M, which names the old subscriber and when that one joined; the old one's profile names the
// new one in "moving". Only when both name each other, and both are as they were then, is it done.

func moveKey(to string) table.Key { return table.Key{PK: "S#" + to, SK: "M"} }

// AskMove implements audience.Moves.
func (s Subscribers) AskMove(ctx context.Context, m audience.Move, perDay int) error {
	for range tries {
		done, err := s.askMove(ctx, m, perDay)
		if done || err != nil {
			return later(err)
		}
	}
	return later(fmt.Errorf("%w: the subscription changes all the time", table.ErrBusy))
}

func (s Subscribers) askMove(ctx context.Context, m audience.Move, perDay int) (done bool, err error) {
	old, err := s.get(ctx, profileKey(m.From))
	if err != nil {
		return false, fmt.Errorf("read subscriber: %w", err)
	}
	if audience.Status(str(old, "status")) != audience.Confirmed {
		return true, audience.NotSubscribed()
	}
	doc, err := json.Marshal(m.Event)
	if err != nil {
		return false, fmt.Errorf("encode move of %s: %w", m.From, err)
	}
	event, err := s.eventOp(m.From, m.Event, 0)
	if err != nil {
		return false, err
	}
	now := s.Now()
	w := windowOf(limitMove, m.From, 24*time.Hour, now)
	key := moveKey(m.To)
	ops := []table.Op{
		event,
		w.count(perDay),
		table.Update(profileKey(m.From), table.Set("moving", m.To)).When(sameAs(old, "status", "confirmed", "moving")),
		table.Put(table.Item{
			table.PK: key.PK, table.SK: key.SK, "from": m.From, "joined": num(old, "confirmed"), "email": m.Email,
			"since": m.Asked.UnixMilli(), "doc": doc, table.TTL: m.Expires.Unix(),
		}),
	}
	if before := str(old, "moving"); before != "" && before != m.To {
		if ops, err = s.withoutMove(ctx, ops, m.From, before); err != nil {
			return false, err
		}
	}
	_, err = s.Table.Write(ctx, ops...)
	if refusedAt(err, 0) {
		return true, nil // its event is there: refused by its own earlier success
	}
	if refusedAt(err, 1) {
		return true, &audience.LimitError{After: w.ends.Sub(now), Why: "You asked for several changes of address today. Please try again tomorrow."}
	}
	if _, refused := errors.AsType[*table.RefusedError](err); refused {
		return false, nil
	}
	return true, err
}

// withoutMove adds to operations the removal of a move, if it still is one of from's.
func (s Subscribers) withoutMove(ctx context.Context, ops []table.Op, from, to string) ([]table.Op, error) {
	item, err := s.get(ctx, moveKey(to))
	if err != nil {
		return nil, fmt.Errorf("read move: %w", err)
	}
	if str(item, "from") != from {
		return ops, nil
	}
	return append(ops, table.Delete(moveKey(to)).When(sameAs(item, "from"))), nil
}

// sameAs holds when attributes are what they were when an item was read.
func sameAs(item table.Item, names ...string) table.Cond {
	conds := make([]table.Cond, len(names))
	for i, name := range names {
		if v, ok := item[name]; ok {
			conds[i] = table.Eq(name, v)
		} else {
			conds[i] = table.Absent(name)
		}
	}
	return table.And(conds...)
}

// moveOf reads a move. An expired one is none.
func (s Subscribers) moveOf(to string, item table.Item) (audience.Move, bool, error) {
	if item == nil || expired(item, s.Now()) {
		return audience.Move{}, false, nil
	}
	m := audience.Move{
		From: str(item, "from"), To: to, Email: str(item, "email"),
		Asked: milli(item, "since"), Expires: time.Unix(num(item, table.TTL), 0).UTC(),
	}
	doc, _ := item["doc"].([]byte)
	if err := json.Unmarshal(doc, &m.Event); err != nil {
		return m, false, fmt.Errorf("decode move to %s: %w", to, err)
	}
	return m, true, nil
}

// Move implements audience.Moves.
func (s Subscribers) Move(ctx context.Context, to string, asked time.Time, e audience.Event) (string, error) {
	for range tries {
		from, done, err := s.move(ctx, to, asked, e)
		if done || err != nil {
			return from, later(err)
		}
	}
	return "", later(fmt.Errorf("%w: the subscriptions change all the time", table.ErrBusy))
}

// move tries once, and reports whether that was the end of it.
func (s Subscribers) move(ctx context.Context, to string, asked time.Time, e audience.Event) (from string, done bool, err error) {
	items, err := s.Table.BatchGet(ctx, []table.Key{moveKey(to), profileKey(to)})
	if err != nil {
		return "", false, fmt.Errorf("read move: %w", err)
	}
	item, is := items[moveKey(to)], items[profileKey(to)]
	m, waits, err := s.moveOf(to, item)
	if err != nil {
		return "", false, err
	}
	if !waits || !m.Asked.Equal(asked) {
		from, err = s.movedBefore(ctx, to, asked)
		return from, true, err
	}
	was, err := s.get(ctx, profileKey(m.From))
	if err != nil {
		return "", false, fmt.Errorf("read subscriber: %w", err)
	}
	if audience.Status(str(was, "status")) != audience.Confirmed || str(was, "moving") != to || num(was, "confirmed") != num(item, "joined") ||
		milli(is, "left").After(asked) {
		from, err = s.movedBefore(ctx, to, asked)
		return from, true, err
	}
	ops, err := s.moveOps(m, was, is, e)
	if err != nil {
		return "", false, err
	}
	_, err = s.Table.Write(ctx, ops...)
	if _, refused := errors.AsType[*table.RefusedError](err); refused {
		return "", false, nil
	}
	return m.From, true, err
}

// movedBefore decides about a token whose move can't be done: it is a success once more for who moved by it and is still there. It
// reads after what showed that, since the other of two presses at once may have been in between.
func (s Subscribers) movedBefore(ctx context.Context, to string, asked time.Time) (from string, err error) {
	is, err := s.get(ctx, profileKey(to))
	if err != nil {
		return "", fmt.Errorf("read subscriber: %w", err)
	}
	if audience.Status(str(is, "status")) == audience.Confirmed && milli(is, "moved").Equal(asked) {
		return str(is, "movedFrom"), nil
	}
	return "", audience.MoveGone()
}

// moveOps are the leaving of who was, and the joining of who is. Who is on the list at the new address already stays as they are.
func (s Subscribers) moveOps(m audience.Move, was, is table.Item, e audience.Event) ([]table.Op, error) {
	e.Request = &m.Event
	joining, err := s.eventOp(m.To, e, 0)
	if err != nil {
		return nil, err
	}
	leaving, err := s.eventOp(m.From, audience.Event{Kind: audience.EventUnsubscribed, At: e.At, How: audience.HowMove}, 0)
	if err != nil {
		return nil, err
	}
	old := subscriberOf(m.From, was)
	actions := []table.Action{table.Set("moved", m.Asked.UnixMilli()), table.Set("movedFrom", m.From)}
	if audience.Status(str(is, "status")) != audience.Confirmed {
		ep := audience.Episode{Began: m.Asked, Request: audience.Request{Email: m.Email, Event: audience.Event{Name: old.Name, Topics: old.Topics}}}
		actions = append(actions, joined(m.To, ep, e.At, old.PausedUntil)...)
	}
	return []table.Op{
		table.Update(profileKey(m.To), actions...).When(sameAs(is, "status", "left")),
		table.Update(profileKey(m.From), table.Set("status", string(audience.Unsubscribed)), table.Set("left", e.At.UnixMilli()), table.Set("movedTo", m.To),
			table.Remove("moving"), table.Remove("apk"), table.Remove("ask"), table.Remove("paused")).
			When(sameAs(was, "status", "confirmed", "moving", "name", "topics", "paused")),
		table.Delete(moveKey(m.To)).When(table.And(table.Eq("since", m.Asked.UnixMilli()), table.Eq("from", m.From))),
		table.Delete(episodeKey(m.From)),
		joining,
		leaving,
	}, nil
}

// moveFrom reads the move that a subscriber has asked for, nil when it does not wait any more.
func (s Subscribers) moveFrom(ctx context.Context, from, to string) (*audience.Move, error) {
	item, err := s.get(ctx, moveKey(to))
	if err != nil {
		return nil, fmt.Errorf("read move: %w", err)
	}
	m, waits, err := s.moveOf(to, item)
	if err != nil || !waits || m.From != from {
		return nil, err
	}
	return &m, nil
}

// Moving implements delivery.Standings.
func (s Subscribers) Moving(ctx context.Context, to string) (audience.Move, audience.Subscriber, bool, error) {
	items, err := s.Table.BatchGet(ctx, []table.Key{moveKey(to), profileKey(to)})
	if err != nil {
		return audience.Move{}, audience.Subscriber{}, false, fmt.Errorf("read move to %s: %w", to, err)
	}
	m, waits, err := s.moveOf(to, items[moveKey(to)])
	return m, subscriberOf(to, items[profileKey(to)]), waits, err
}

// Told implements delivery.Standings.
func (s Subscribers) Told(ctx context.Context, id, message string) (bool, error) {
	_, err := s.Table.Write(ctx, table.Update(profileKey(id), table.Set("told", message)).
		When(table.And(table.Eq("status", string(audience.Unsubscribed)), table.Exists("movedTo"), table.Absent("told"))))
	if met, refused := table.Refused(err, 0); refused {
		return audience.Status(str(met, "status")) == audience.Unsubscribed && str(met, "told") == message, nil
	}
	if err != nil {
		return false, fmt.Errorf("note that %s is told: %w", id, err)
	}
	return true, nil
}
