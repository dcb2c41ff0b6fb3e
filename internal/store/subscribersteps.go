package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/audience"
	"tidings/internal/table"
)

// Confirm implements audience.Memberships.
func (s Subscribers) Confirm(ctx context.Context, id string, episode time.Time, e audience.Event) error {
	for range tries {
		done, err := s.confirm(ctx, id, episode, e)
		if done || err != nil {
			return later(err)
		}
	}
	return later(fmt.Errorf("%w: the sign-up changes all the time", table.ErrBusy))
}

// confirm tries once, and reports whether that was the end of it.
func (s Subscribers) confirm(ctx context.Context, id string, episode time.Time, e audience.Event) (done bool, err error) {
	item, err := s.get(ctx, episodeKey(id))
	if err != nil {
		return false, fmt.Errorf("read sign-up: %w", err)
	}
	ep, waits, err := s.episodeOf(id, item)
	if err != nil {
		return false, err
	}
	if !waits || !ep.Began.Equal(episode) {
		return true, s.confirmedBefore(ctx, id, episode)
	}
	e.Request = &ep.Event
	event, err := s.eventOp(id, e, 0)
	if err != nil {
		return false, err
	}
	_, err = s.Table.Write(ctx,
		table.Update(profileKey(id), append(joined(id, ep, e.At, time.Time{}), table.Remove("moved"), table.Remove("movedFrom"))...).
			When(table.Ne("status", string(audience.Confirmed))),
		// the very sign-up that is copied, or a later one of the episode would be lost
		table.Delete(episodeKey(id)).When(table.And(table.Eq("since", episode.UnixMilli()), table.Eq("doc", item["doc"]))),
		event,
	)
	if _, refused := table.Refused(err, 0); refused {
		return true, nil // on the list: by its own earlier success, or by the other of two presses at once
	}
	if _, refused := errors.AsType[*table.RefusedError](err); refused {
		return false, nil
	}
	return true, err
}

// confirmedBefore decides about a token whose episode does not wait: it is a success once more for who came onto the list by
// it and is still there.
func (s Subscribers) confirmedBefore(ctx context.Context, id string, episode time.Time) error {
	item, err := s.get(ctx, profileKey(id))
	if err != nil {
		return fmt.Errorf("read subscriber: %w", err)
	}
	if audience.Status(str(item, "status")) == audience.Confirmed && milli(item, "episode").Equal(episode) {
		return nil
	}
	return audience.Gone()
}

// joined makes a subscriber of an episode: what was asked for then, and nothing of an earlier subscription.
func joined(id string, ep audience.Episode, at, paused time.Time) []table.Action {
	actions := []table.Action{
		table.Set("status", string(audience.Confirmed)), table.Set("email", ep.Email),
		table.Set("confirmed", at.UnixMilli()), table.Set("episode", ep.Began.UnixMilli()),
		table.Set("apk", audiencePartition(audience.Partition(id))), table.Set("ask", id),
	}
	for _, name := range []string{"left", "asked", "askedBy", "welcomed", "reason", "movedTo", "told"} {
		actions = append(actions, table.Remove(name))
	}
	return append(actions, changed(audience.Change{Name: &ep.Event.Name, Topics: &ep.Event.Topics, PausedUntil: &paused})...)
}

// leftOps takes somebody with one of the statuses off the list.
func (s Subscribers) leftOps(id string, to audience.Status, e audience.Event, from ...audience.Status) ([]table.Op, error) {
	event, err := s.eventOp(id, e, 0)
	if err != nil {
		return nil, err
	}
	return []table.Op{
		table.Update(profileKey(id), table.Set("status", string(to)), table.Set("left", e.At.UnixMilli()),
			table.Remove("apk"), table.Remove("ask"), table.Remove("paused")).When(is("status", from...)),
		table.Delete(episodeKey(id)),
		event,
	}, nil
}

// Leave implements audience.Memberships. For who is on the list it is one write, without a read before it.
func (s Subscribers) Leave(ctx context.Context, id string, e audience.Event) error {
	ops, err := s.leftOps(id, audience.Unsubscribed, e, audience.Confirmed)
	if err != nil {
		return err
	}
	for range tries {
		_, err = s.Table.Write(ctx, ops...)
		if _, refused := table.Refused(err, 0); !refused {
			return later(err)
		}
		done, err := s.endEpisode(ctx, id, ops[2])
		if done || err != nil {
			return later(err)
		}
	}
	return later(fmt.Errorf("%w: the subscription changes all the time", table.ErrBusy))
}

// endEpisode ends what waits for somebody who is not on the list, and reports whether nothing is left to do. The episode is
// looked at before the status: when there was none, and after that no confirmed subscriber, no confirmation lay between.
func (s Subscribers) endEpisode(ctx context.Context, id string, event table.Op) (bool, error) {
	episode, err := s.get(ctx, episodeKey(id))
	if err != nil {
		return false, fmt.Errorf("read sign-up: %w", err)
	}
	notOnList := table.Ne("status", string(audience.Confirmed))
	if episode == nil {
		profile, err := s.get(ctx, profileKey(id))
		if err != nil {
			return false, fmt.Errorf("read subscriber: %w", err)
		}
		return audience.Status(str(profile, "status")) != audience.Confirmed, nil
	}
	_, err = s.Table.Write(ctx, table.Check(profileKey(id), notOnList), table.Delete(episodeKey(id)).When(table.Exists(table.PK)), event)
	if _, refused := errors.AsType[*table.RefusedError](err); refused {
		return false, nil
	}
	return true, err
}

// Bounced implements delivery.Suppressor.
func (s Subscribers) Bounced(ctx context.Context, id string) error {
	return s.suppress(ctx, id, audience.Bounced, audience.EventBounced, audience.Confirmed, audience.Unsubscribed)
}

// Complained implements delivery.Suppressor.
func (s Subscribers) Complained(ctx context.Context, id string) error {
	return s.suppress(ctx, id, audience.Complained, audience.EventComplained, audience.Confirmed, audience.Unsubscribed, audience.Bounced)
}

// suppress also meets those who left in the meantime: what SES reports about their last mail is a reason to be more careful with
// a sign-up of that address. It ends a pending episode, so that only a mail sent after it can lift it.
func (s Subscribers) suppress(ctx context.Context, id string, to audience.Status, kind audience.Kind, from ...audience.Status) error {
	now := s.Now().UTC().Truncate(time.Millisecond)
	ops, err := s.leftOps(id, to, audience.Event{Kind: kind, At: now, How: audience.HowFeedback}, from...)
	if err != nil {
		return err
	}
	_, err = s.Table.Write(ctx, ops...)
	if met, refused := table.Refused(err, 0); refused {
		if audience.Status(str(met, "status")) != audience.Erased {
			return nil // unknown, or suppressed already
		}
		if err = s.suppressErased(ctx, id, to, from); err == nil {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("suppress %s: %w", id, err)
	}
	return nil
}

// suppressErased keeps of what SES reports about an erased subscriber's last mail only that the address is suppressed.
func (s Subscribers) suppressErased(ctx context.Context, id string, to audience.Status, from []audience.Status) error {
	_, err := s.Table.Write(ctx, table.Update(profileKey(id), table.Set("reason", string(to))).
		When(table.And(table.Eq("status", string(audience.Erased)), is("reason", from...))))
	if _, refused := table.Refused(err, 0); refused {
		return nil
	}
	return err
}

// is holds when an attribute is one of the statuses.
func is(attribute string, statuses ...audience.Status) table.Cond {
	conds := make([]table.Cond, len(statuses))
	for i, status := range statuses {
		conds[i] = table.Eq(attribute, string(status))
	}
	return table.Or(conds...)
}
