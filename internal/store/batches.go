package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/table"
)

// Claim implements delivery.Batches.
func (l Ledger) Claim(ctx context.Context, s delivery.Shard, ids []string) (delivery.Shard, delivery.Batch, error) {
	b := delivery.Batch{Ref: delivery.BatchRef{ShardRef: s.Ref, Batch: s.Next}, IDs: ids, Marks: delivery.Marks{}}
	cursor := "cursor"
	if s.Walked {
		cursor = "second"
	}
	ttl := s.Start.Add(LedgerRetention).Unix()
	bk, ok := batchKey(b.Ref), outcomeKey(b.Ref)
	_, err := l.Table.Write(ctx,
		table.Update(shardKey(s.Ref),
			table.Set(cursor, ids[len(ids)-1]), table.Set("next", s.Next+1), table.AddToSet("open", table.IntSet{s.Next}),
			table.Remove("takeovers")).
			When(table.And(table.Eq("owner", s.Owner), table.Eq("next", s.Next))),
		table.Put(table.Item{table.PK: bk.PK, table.SK: bk.SK, "ids": strings.Join(ids, ""), "attempt": int64(0), table.TTL: ttl}).
			When(table.Absent(table.PK)),
		table.Put(table.Item{table.PK: ok.PK, table.SK: ok.SK, "n": int64(len(ids)), table.TTL: ttl}).
			When(table.Absent(table.PK)),
	)
	if err = l.lost(err, "claim in", s.Ref); err != nil {
		return s, b, err
	}
	if s.Walked {
		s.Second = ids[len(ids)-1]
	} else {
		s.Cursor = ids[len(ids)-1]
	}
	s.Next, s.Open = s.Next+1, append(s.Open[:len(s.Open):len(s.Open)], b.Ref.Batch)
	return s, b, nil
}

// Batch implements delivery.Batches.
func (l Ledger) Batch(ctx context.Context, ref delivery.BatchRef) (delivery.Batch, error) {
	bk, ok := batchKey(ref), outcomeKey(ref)
	items, err := l.Table.BatchGet(ctx, []table.Key{bk, ok})
	if err != nil {
		return delivery.Batch{}, fmt.Errorf("read batch %s/%d/%d: %w", ref.Digest, ref.Shard, ref.Batch, err)
	}
	item, outcome := items[bk], items[ok]
	if item == nil || outcome == nil {
		return delivery.Batch{}, fmt.Errorf("read batch %s/%d/%d: %w", ref.Digest, ref.Shard, ref.Batch, delivery.ErrUnknown)
	}
	b := batchOf(ref, item)
	b.Marks = marksOf(outcome)
	return b, nil
}

func batchOf(ref delivery.BatchRef, item table.Item) delivery.Batch {
	b := delivery.Batch{Ref: ref, Attempt: int(num(item, "attempt")), T0: milli(item, "t0"), FirstT0: milli(item, "first")}
	slots, _ := item["slots"].(table.IntSet)
	b.Slots = slots
	b.IDs = splitIDs(nil, str(item, "ids"))
	return b
}

// splitIDs appends IDs that stand one after the other; they are all of one length.
func splitIDs(list []string, ids string) []string {
	for ; len(ids) >= audience.IDLen; ids = ids[audience.IDLen:] {
		list = append(list, ids[:audience.IDLen])
	}
	return list
}

// Claimed implements delivery.Claims.
func (l Ledger) Claimed(ctx context.Context, s delivery.Shard, from int64, limit int) (ids []string, next int64, err error) {
	first := delivery.BatchRef{ShardRef: s.Ref, Batch: from}
	last := delivery.BatchRef{ShardRef: s.Ref, Batch: min(s.WalkEnd, from+int64(limit)) - 1}
	page, err := l.Table.Query(ctx, table.Query{
		Partition: shardKey(s.Ref).PK, From: batchKey(first).SK, To: batchKey(last).SK, Limit: limit, Consistent: true,
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read claims of shard %s/%d: %w", s.Ref.Digest, s.Ref.Shard, err)
	}
	if len(page.Items) == 0 {
		return nil, 0, fmt.Errorf("read claims of shard %s/%d from %d: %w", s.Ref.Digest, s.Ref.Shard, from, delivery.ErrUnknown)
	}
	for _, item := range page.Items {
		ids = splitIDs(ids, str(item, "ids"))
	}
	return ids, from + int64(len(page.Items)), nil
}

// markPrefix keeps marks apart from an outcome item's other attributes.
const markPrefix = "m:"

func marksOf(item table.Item) delivery.Marks {
	m := delivery.Marks{}
	for name, v := range item {
		if mark, ok := strings.CutPrefix(name, markPrefix); ok {
			slots, _ := v.(table.IntSet)
			m[delivery.Mark(mark)] = slots
		}
	}
	return m
}

// Attempt implements delivery.Batches. The attempt carries a token, so that a write whose answer was lost and which the
// SDK has retried knows its own effect; anyone else's is ErrLost.
func (l Ledger) Attempt(ctx context.Context, b delivery.Batch, slots []int64, t0 time.Time) (delivery.Batch, error) {
	token := l.NewID()
	_, err := l.Table.Write(ctx, table.Update(batchKey(b.Ref),
		table.Set("attempt", int64(b.Attempt+1)), table.Set("slots", table.IntSet(slots)), table.Set("t0", t0.UnixMilli()),
		table.SetIfAbsent("first", t0.UnixMilli()), table.Set("token", token)).
		When(table.Eq("attempt", int64(b.Attempt))))
	if met, refused := table.Refused(err, 0); refused && str(met, "token") != token {
		return b, fmt.Errorf("attempt %d of batch %s/%d/%d: %w", b.Attempt+1, b.Ref.Digest, b.Ref.Shard, b.Ref.Batch, delivery.ErrLost)
	} else if err != nil && !refused {
		return b, fmt.Errorf("attempt %d of batch %s/%d/%d: %w", b.Attempt+1, b.Ref.Digest, b.Ref.Shard, b.Ref.Batch, err)
	}
	if b.Attempt == 0 {
		b.FirstT0 = t0
	}
	b.Attempt, b.Slots, b.T0 = b.Attempt+1, slots, t0
	return b, nil
}

// Mark implements delivery.Batches. Marks are written before the batch is closed; both writes can be repeated.
func (l Ledger) Mark(ctx context.Context, ref delivery.BatchRef, marks delivery.Marks, close bool) error {
	if len(marks) > 0 {
		if _, err := l.Note(ctx, ref, marks); err != nil {
			return err
		}
	}
	if !close {
		return nil
	}
	_, err := l.Table.Write(ctx, table.Update(shardKey(ref.ShardRef),
		table.DeleteFromSet("open", table.IntSet{ref.Batch}), table.Remove("takeovers")).
		When(table.Exists(table.PK)))
	return l.lost(err, "close batch in", ref.ShardRef)
}

// Note implements delivery.Outcomes.
func (l Ledger) Note(ctx context.Context, ref delivery.BatchRef, marks delivery.Marks) (delivery.Marks, error) {
	actions := make([]table.Action, 0, len(marks))
	for mark, slots := range marks {
		actions = append(actions, table.AddToSet(markPrefix+string(mark), table.IntSet(slots)))
	}
	item, err := l.Table.Write(ctx, table.Update(outcomeKey(ref), actions...).When(table.Exists(table.PK)))
	if _, refused := errors.AsType[*table.RefusedError](err); refused {
		err = delivery.ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("mark batch %s/%d/%d: %w", ref.Digest, ref.Shard, ref.Batch, err)
	}
	return marksOf(item), nil
}
