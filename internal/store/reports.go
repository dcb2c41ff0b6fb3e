package store

import (
	"context"
	"fmt"

	"tidings/internal/delivery"
	"tidings/internal/table"
)

// Page implements delivery.Pages. At most table.MaxBatchGet/2 batches are read at a time.
func (l Ledger) Page(ctx context.Context, ref delivery.ShardRef, from int64, limit int) ([]delivery.Batch, error) {
	limit = min(limit, table.MaxBatchGet/2)
	keys := make([]table.Key, 0, 2*limit)
	refs := make([]delivery.BatchRef, limit)
	for i := range refs {
		refs[i] = delivery.BatchRef{ShardRef: ref, Batch: from + int64(i)}
		keys = append(keys, batchKey(refs[i]), outcomeKey(refs[i]))
	}
	items, err := l.Table.BatchGet(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read batches of shard %s/%d from %d: %w", ref.Digest, ref.Shard, from, err)
	}
	var page []delivery.Batch
	for _, ref := range refs {
		item, outcome := items[batchKey(ref)], items[outcomeKey(ref)]
		if item == nil || outcome == nil {
			break // not claimed yet
		}
		b := batchOf(ref, item)
		b.Marks = marksOf(outcome)
		page = append(page, b)
	}
	return page, nil
}
