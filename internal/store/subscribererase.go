package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tidings/internal/audience"
	"tidings/internal/table"
)

// Held implements audience.Records.
func (s Subscribers) Held(ctx context.Context, id string) (audience.Held, error) {
	items, err := s.all(ctx, id)
	if err != nil {
		return audience.Held{}, later(err)
	}
	h := audience.Held{Standing: audience.Standing{Subscriber: audience.Subscriber{ID: id}}}
	if to := str(find(items, profileKey(id)), "moving"); to != "" {
		if h.Moving, err = s.moveFrom(ctx, id, to); err != nil {
			return h, later(err)
		}
	}
	for _, item := range items {
		switch sk := str(item, table.SK); {
		case expired(item, s.Now()):
		case sk == profileKey(id).SK:
			h.Subscriber = subscriberOf(id, item)
		case sk == episodeKey(id).SK:
			if h.Episode, h.Waits, err = s.episodeOf(id, item); err != nil {
				return h, err
			}
		case sk == moveKey(id).SK:
			if m, waits, err := s.moveOf(id, item); err != nil {
				return h, err
			} else if waits && h.Moving == nil { // somebody asked to move here
				h.Moving = &m
			}
		case strings.HasPrefix(sk, "E#"):
			var e audience.Event
			doc, _ := item["doc"].([]byte)
			if err := json.Unmarshal(doc, &e); err != nil {
				return h, fmt.Errorf("decode event of %s: %w", id, err)
			}
			h.Events = append(h.Events, e)
		}
	}
	return h, nil
}

// all reads every item of a subscriber's partition.
func (s Subscribers) all(ctx context.Context, id string) ([]table.Item, error) {
	q := table.Query{Partition: profileKey(id).PK, Limit: table.MaxQuery, Consistent: true}
	var items []table.Item
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read all of %s: %w", id, err)
		}
		items = append(items, page.Items...)
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return items, nil
		}
	}
}

// Erase implements audience.Records. The first transaction takes the subscriber off the list, with all there is unless they
// have more events than it holds; further ones remove the rest. What was written meanwhile is met when all is read again.
func (s Subscribers) Erase(ctx context.Context, id string, e audience.Event) error {
	for try := 0; try < tries; {
		items, err := s.all(ctx, id)
		if err != nil {
			return later(err)
		}
		ops, err := s.eraseOps(id, items, e)
		if err != nil {
			return err
		}
		if len(ops) == 0 {
			return nil
		}
		if to := str(find(items, profileKey(id)), "moving"); to != "" {
			if ops, err = s.withoutMove(ctx, ops, id, to); err != nil {
				return later(err)
			}
		}
		_, err = s.Table.Write(ctx, ops...)
		if _, refused := errors.AsType[*table.RefusedError](err); refused {
			try++
			continue
		}
		if err != nil {
			return later(err)
		}
	}
	return later(fmt.Errorf("%w: the subscription changes all the time", table.ErrBusy))
}

// eraseOps returns the next operations that erase what was read: none when nothing is left but the suppression, and the event of an
// editor who erased, which says nothing about whom.
func (s Subscribers) eraseOps(id string, items []table.Item, e audience.Event) ([]table.Op, error) {
	profile := find(items, profileKey(id))
	var deletes []table.Op
	for _, item := range items {
		audit, _ := item["audit"].(bool)
		// room for the profile, for a change of address, and for the audit
		if key := keyOf(item); key != profileKey(id) && !audit && len(deletes) < table.MaxOps-3 {
			deletes = append(deletes, table.Delete(key))
		}
	}
	if audience.Status(str(profile, "status")) == audience.Erased {
		if len(deletes) == 0 {
			return nil, nil
		}
		// a new sign-up of somebody who was erased: not once it is confirmed
		return append([]table.Op{table.Check(profileKey(id), table.Eq("status", string(audience.Erased)))}, deletes...), nil
	}
	if len(items) == 0 {
		return nil, nil
	}
	ops := append([]table.Op{erased(id, profile, e.At)}, deletes...)
	if e.How != audience.HowEditor {
		return ops, nil
	}
	audit, err := s.eventOp(id, e, 0)
	audit.Item["audit"] = true
	return append(ops, audit), err
}

func keyOf(item table.Item) table.Key {
	return table.Key{PK: str(item, table.PK), SK: str(item, table.SK)}
}

// find returns the item of a key, nil when there is none.
func find(items []table.Item, key table.Key) table.Item {
	for _, item := range items {
		if keyOf(item) == key {
			return item
		}
	}
	return nil
}

// erased puts the suppression in a profile's place: of what is known, why no mail is sent, since when, and when somebody
// suppressed was last asked.
func erased(id string, profile table.Item, at time.Time) table.Op {
	key := profileKey(id)
	item := table.Item{
		table.PK: key.PK, table.SK: key.SK, "status": string(audience.Erased),
		"reason": string(audience.Unsubscribed), "left": at.UnixMilli(),
	}
	if profile == nil {
		return table.Put(item).When(table.Absent(table.PK))
	}
	if s := subscriberOf(id, profile); s.Suppressed() {
		item["reason"] = string(s.Status)
	}
	for _, name := range []string{"left", "asked"} {
		if v, ok := profile[name]; ok {
			item[name] = v
		}
	}
	return table.Put(item).When(sameAs(profile, "status", "left", "asked", "moving"))
}
