package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/table"
)

// Tallies keeps the snapshot of each digest's progress, at DIG#<id>/P: the figures as a document with the number of the
// change that they were counted at, and the number of the ledger's last change. It implements delivery.Tallies.
type Tallies struct {
	Table table.Table
	Now   func() time.Time
}

func tallyKey(digest string) table.Key { return table.Key{PK: "DIG#" + digest, SK: "P"} }

// Tally implements delivery.Tallies.
func (s Tallies) Tally(ctx context.Context, digest string) (delivery.Tally, error) {
	item, err := s.Table.Get(ctx, tallyKey(digest))
	if errors.Is(err, table.ErrNotFound) {
		return delivery.Tally{}, nil
	}
	if err != nil {
		return delivery.Tally{}, fmt.Errorf("get tally of digest %s: %w", digest, err)
	}
	t := delivery.Tally{
		At: milli(item, "at"), Batches: int(num(item, "batches")), Start: milli(item, "start"),
		Change: num(item, "change"), Stale: num(item, "change") != num(item, "counted"),
	}
	if doc, ok := item["doc"].([]byte); ok {
		if err := json.Unmarshal(doc, &t.Progress); err != nil {
			return delivery.Tally{}, fmt.Errorf("decode tally of digest %s: %w", digest, err)
		}
	}
	return t, nil
}

// SaveTally implements delivery.Tallies.
func (s Tallies) SaveTally(ctx context.Context, digest string, t delivery.Tally) error {
	doc, err := json.Marshal(t.Progress)
	if err != nil {
		return fmt.Errorf("encode tally of digest %s: %w", digest, err)
	}
	_, err = s.Table.Write(ctx, table.Update(tallyKey(digest),
		table.Set("doc", doc), table.Set("at", t.At.UnixMilli()), table.Set("batches", int64(t.Batches)), table.Set("counted", t.Change),
		table.Set("start", t.Start.UnixMilli())).
		When(table.Or(table.Absent("counted"), table.Le("counted", t.Change))))
	if _, refused := table.Refused(err, 0); err != nil && !refused {
		return fmt.Errorf("save tally of digest %s: %w", digest, err)
	}
	return nil
}

// StaleTally implements delivery.Tallies.
func (s Tallies) StaleTally(ctx context.Context, digest string) error {
	if _, err := s.Table.Write(ctx, table.Update(tallyKey(digest), table.Add("change", 1))); err != nil {
		return fmt.Errorf("age tally of digest %s: %w", digest, err)
	}
	return nil
}

// Outcomes implements delivery.Tallies: it reads the ledger's outcome items, in order.
func (s Tallies) Outcomes(ctx context.Context, ref delivery.ShardRef, f func(slots int, m delivery.Marks)) error {
	from, to := table.PrefixRange("O#")
	q := table.Query{Partition: shardKey(ref).PK, From: from, To: to, Limit: table.MaxQuery, Consistent: true}
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("read outcomes of shard %s/%d: %w", ref.Digest, ref.Shard, err)
		}
		for _, item := range page.Items {
			f(int(num(item, "n")), marksOf(item))
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return nil
		}
	}
}
