package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tidings/internal/audience"
	"tidings/internal/fault"
	"tidings/internal/table"
)

// Subscribers keeps people. At S#<id> the item A is the subscriber, from the first confirmation on; P is the episode in
// which a sign-up waits to be confirmed, and M a change to this address that does, each with a ttl; E#… are the events, in order
// of time. Only confirmed subscribers have the keys of the audience index: "A#%02d" of audience.Partition, and the ID. It
// implements the ports of audience, and delivery.People, delivery.Suppressor and delivery.Standings.
//
// P is the sole authority over a confirmation: who deletes it has decided. So whatever ends an episode deletes P in
// the same write in which it changes A.
type Subscribers struct {
	Table table.Table
	Now   func() time.Time
	// NewID makes the sort keys of events: ULIDs, by which a write that was retried also knows its own effect.
	NewID func() string
}

func profileKey(id string) table.Key { return table.Key{PK: "S#" + id, SK: "A"} }
func episodeKey(id string) table.Key { return table.Key{PK: "S#" + id, SK: "P"} }

// tries bounds how often a change of one subscriber is decided anew because something else changed meanwhile.
const tries = 5

// eventOp adds an event. One with a life is gone after it.
func (s Subscribers) eventOp(id string, e audience.Event, life time.Duration) (table.Op, error) {
	doc, err := json.Marshal(e)
	if err != nil {
		return table.Op{}, fmt.Errorf("encode event of %s: %w", id, err)
	}
	item := table.Item{table.PK: "S#" + id, table.SK: "E#" + s.NewID(), "doc": doc}
	if life > 0 {
		item[table.TTL] = e.At.Add(life).Unix()
	}
	return table.Put(item).When(table.Absent(table.PK)), nil
}

// episodeOf reads an episode. An expired one is none.
func (s Subscribers) episodeOf(id string, item table.Item) (audience.Episode, bool, error) {
	if item == nil || expired(item, s.Now()) {
		return audience.Episode{}, false, nil
	}
	ep := audience.Episode{
		Request: audience.Request{ID: id, Email: str(item, "email")},
		Began:   milli(item, "since"), Expires: time.Unix(num(item, table.TTL), 0).UTC(),
	}
	doc, _ := item["doc"].([]byte)
	if err := json.Unmarshal(doc, &ep.Event); err != nil {
		return ep, false, fmt.Errorf("decode sign-up of %s: %w", id, err)
	}
	return ep, true, nil
}

// subscriberOf reads a subscriber.
func subscriberOf(id string, item table.Item) audience.Subscriber {
	topics, _ := item["topics"].(table.StringSet)
	return audience.Subscriber{
		ID: id, Email: str(item, "email"), Name: str(item, "name"), Topics: topics, Status: audience.Status(str(item, "status")),
		Reason:      audience.Status(str(item, "reason")),
		ConfirmedAt: milli(item, "confirmed"), LeftAt: milli(item, "left"), PausedUntil: milli(item, "paused"),
	}
}

// get reads an item, nil when there is none.
func (s Subscribers) get(ctx context.Context, key table.Key) (table.Item, error) {
	item, err := s.Table.Get(ctx, key)
	if errors.Is(err, table.ErrNotFound) {
		return nil, nil
	}
	return item, err
}

// Mailable implements delivery.People.
func (s Subscribers) Mailable(ctx context.Context, partition int, after string, limit int) ([]string, error) {
	q := table.Query{Index: table.Audience, Partition: audiencePartition(partition)}
	if after != "" {
		q.From = after + "0" // IDs have one length: this is behind the ID and before the next
	}
	ids := make([]string, 0, limit)
	for len(ids) < limit {
		q.Limit = min(limit-len(ids), table.MaxQuery)
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read audience index, partition %d: %w", partition, err)
		}
		for _, item := range page.Items {
			ids = append(ids, str(item, "ask"))
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	return ids, nil
}

func audiencePartition(n int) string { return fmt.Sprintf("A#%02d", n) }

// GetMany implements delivery.People.
func (s Subscribers) GetMany(ctx context.Context, ids []string) (map[string]audience.Subscriber, error) {
	out := make(map[string]audience.Subscriber, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), table.MaxBatchGet)
		keys := make([]table.Key, n)
		for i, id := range ids[:n] {
			keys[i] = profileKey(id)
		}
		items, err := s.Table.BatchGet(ctx, keys)
		if err != nil {
			return nil, fmt.Errorf("read %d subscribers: %w", n, err)
		}
		for i, id := range ids[:n] {
			if item := items[keys[i]]; item != nil {
				out[id] = subscriberOf(id, item)
			}
		}
		ids = ids[n:]
	}
	return out, nil
}

// later turns a table that is busy into a fault that asks to come again.
func later(err error) error {
	if errors.Is(err, table.ErrBusy) {
		return errors.Join(fault.New(fault.Unavailable, "We are busy. Please try again in a moment."), err)
	}
	return err
}
