package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/internal/audience"
	"tidings/internal/table"
)

// Standing implements delivery.Standings.
func (s Subscribers) Standing(ctx context.Context, id string) (audience.Standing, error) {
	items, err := s.Table.BatchGet(ctx, []table.Key{profileKey(id), episodeKey(id)})
	if err != nil {
		return audience.Standing{}, fmt.Errorf("read standing of %s: %w", id, err)
	}
	var st audience.Standing
	if item := items[profileKey(id)]; item != nil {
		st.Subscriber = subscriberOf(id, item)
	}
	st.Episode, st.Waits, err = s.episodeOf(id, items[episodeKey(id)])
	return st, err
}

// CountMail implements delivery.Standings.
func (s Subscribers) CountMail(ctx context.Context, id, message string, perDay int) (bool, error) {
	return s.countMail(ctx, limitMail, id, message, perDay)
}

// CountLink implements delivery.Standings. Its counter is another, so that no stranger's sign-ups keep somebody from their rights.
func (s Subscribers) CountLink(ctx context.Context, id, message string, perDay int) (bool, error) {
	return s.countMail(ctx, limitLink, id, message, perDay)
}

// countMail counts a mail in its day. The counter holds the messages that were counted, so that one that comes again finds itself.
func (s Subscribers) countMail(ctx context.Context, limit, id, message string, perDay int) (bool, error) {
	w := windowOf(limit, id, 24*time.Hour, s.Now())
	_, err := s.Table.Write(ctx,
		table.Update(w.key, table.Add("n", 1), table.AddToSet("by", table.StringSet{message}), table.Set(table.TTL, w.ends.Unix())).
			When(table.And(table.Or(table.Absent("n"), table.Lt("n", int64(perDay))), table.Not(table.Contains("by", message)))))
	if met, refused := table.Refused(err, 0); refused {
		by, _ := met["by"].(table.StringSet)
		return slices.Contains(by, message), nil
	}
	if err != nil {
		return false, fmt.Errorf("count mail to %s: %w", id, err)
	}
	return true, nil
}

// Welcome implements delivery.Standings.
func (s Subscribers) Welcome(ctx context.Context, id, message string) (bool, error) {
	_, err := s.Table.Write(ctx, table.Update(profileKey(id), table.Set("welcomed", message)).
		When(table.And(table.Eq("status", string(audience.Confirmed)), table.Absent("welcomed"))))
	if met, refused := table.Refused(err, 0); refused {
		return audience.Status(str(met, "status")) == audience.Confirmed && str(met, "welcomed") == message, nil
	}
	if err != nil {
		return false, fmt.Errorf("note welcome of %s: %w", id, err)
	}
	return true, nil
}

// AskSuppressed implements delivery.Standings.
func (s Subscribers) AskSuppressed(ctx context.Context, id, message string) (bool, error) {
	now := s.Now()
	_, err := s.Table.Write(ctx,
		table.Update(profileKey(id), table.Set("asked", now.UnixMilli()), table.Set("askedBy", message)).When(table.And(
			table.Or(is("status", audience.Bounced, audience.Complained),
				table.And(table.Eq("status", string(audience.Erased)), is("reason", audience.Bounced, audience.Complained))),
			table.Or(table.Absent("asked"), table.Le("asked", now.Add(-audience.SuppressedEvery).UnixMilli())),
		)))
	if met, refused := table.Refused(err, 0); refused {
		return str(met, "askedBy") == message, nil
	}
	if err != nil {
		return false, fmt.Errorf("note confirmation mail to suppressed %s: %w", id, err)
	}
	return true, nil
}
