package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/table"
)

// A Ledger keeps what a digest's delivery knows: shards, batches and outcomes, each shard in a partition of its own, so
// that no item and no partition is hot. It implements delivery.Shards, delivery.Batches and delivery.Claims.
//
// A shard's partition is "L#<digest>#<shard>". In it "S" is the shard, "B#<number>" a batch with the IDs it claimed, and
// "O#<number>" what became of them. Batch and outcome are two items because an outcome is updated often and is
// small, and a batch is written three times and is not: a write costs by the size of its whole item.
type Ledger struct {
	Table table.Table
	Now   func() time.Time
	// NewID makes the tokens by which a write that was retried knows its own effect.
	NewID func() string
}

// LedgerRetention is how long the ledger of a digest is kept after its start: for questions, and for late bounces.
const LedgerRetention = 400 * 24 * time.Hour

func shardKey(ref delivery.ShardRef) table.Key {
	return table.Key{PK: fmt.Sprintf("L#%s#%02d", ref.Digest, ref.Shard), SK: "S"}
}

func batchKey(ref delivery.BatchRef) table.Key {
	return table.Key{PK: shardKey(ref.ShardRef).PK, SK: fmt.Sprintf("B#%08d", ref.Batch)}
}

func outcomeKey(ref delivery.BatchRef) table.Key {
	return table.Key{PK: shardKey(ref.ShardRef).PK, SK: fmt.Sprintf("O#%08d", ref.Batch)}
}

// PlanOps returns the operations that open the ledger: the digest's shards, none of which may exist.
func (l Ledger) PlanOps(shards []delivery.Shard) []table.Op {
	ops := make([]table.Op, len(shards))
	for i, s := range shards {
		key := shardKey(s.Ref)
		ops[i] = table.Put(table.Item{
			table.PK: key.PK, table.SK: key.SK,
			"from": int64(s.From), "to": int64(s.To),
			"start": s.Start.UnixMilli(), "cutoff": s.CutOff.UnixMilli(),
			"next": int64(0), table.TTL: s.Start.Add(LedgerRetention).Unix(),
		}).When(table.Absent(table.PK))
	}
	return ops
}

// Shards implements delivery.Shards.
func (l Ledger) Shards(ctx context.Context, digest string) ([]delivery.Shard, error) {
	var keys []table.Key
	for n := range delivery.MaxShards {
		keys = append(keys, shardKey(delivery.ShardRef{Digest: digest, Shard: n}))
	}
	items, err := l.Table.BatchGet(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read shards of digest %s: %w", digest, err)
	}
	var shards []delivery.Shard
	for n, key := range keys {
		if item, ok := items[key]; ok {
			shards = append(shards, shardOf(delivery.ShardRef{Digest: digest, Shard: n}, item))
		}
	}
	return shards, nil
}

func shardOf(ref delivery.ShardRef, item table.Item) delivery.Shard {
	s := delivery.Shard{
		Ref: ref, From: int(num(item, "from")), To: int(num(item, "to")),
		Start: milli(item, "start"), CutOff: milli(item, "cutoff"),
		Cursor: str(item, "cursor"), Next: num(item, "next"),
		Owner: str(item, "owner"), Until: milli(item, "until"),
	}
	s.Walked, _ = item["walked"].(bool)
	s.Rewalked, _ = item["rewalked"].(bool)
	s.WalkEnd, s.Second, s.Takeovers = num(item, "walkend"), str(item, "second"), num(item, "takeovers")
	s.Wake = milli(item, "wake")
	open, _ := item["open"].(table.IntSet)
	s.Open = open
	return s
}

// Lease implements delivery.Shards.
func (l Ledger) Lease(ctx context.Context, ref delivery.ShardRef, owner string, until time.Time) (delivery.Shard, error) {
	item, err := l.Table.Write(ctx, table.Update(shardKey(ref),
		table.Set("owner", owner), table.Set("until", until.UnixMilli()), table.Add("takeovers", 1), table.Remove("wake")).
		When(table.And(table.Exists(table.PK), table.Or(
			table.Absent("owner"),
			table.Lt("until", l.Now().Add(-delivery.ClockMargin).UnixMilli()),
			table.Eq("owner", owner), // a retried write that meets its own effect
		))))
	if met, refused := table.Refused(err, 0); refused {
		if met == nil {
			return delivery.Shard{}, fmt.Errorf("lease shard %s/%d: %w", ref.Digest, ref.Shard, delivery.ErrUnknown)
		}
		return delivery.Shard{}, fmt.Errorf("lease shard %s/%d: %w", ref.Digest, ref.Shard, delivery.ErrLeased)
	}
	if err != nil {
		return delivery.Shard{}, fmt.Errorf("lease shard %s/%d: %w", ref.Digest, ref.Shard, err)
	}
	return shardOf(ref, item), nil
}

// Release implements delivery.Shards.
func (l Ledger) Release(ctx context.Context, s delivery.Shard, wake time.Time) error {
	actions := []table.Action{table.Remove("owner"), table.Remove("until"), table.Remove("takeovers")}
	if !wake.IsZero() {
		actions = append(actions, table.Set("wake", wake.UnixMilli()))
	}
	_, err := l.Table.Write(ctx, table.Update(shardKey(s.Ref), actions...).When(table.Eq("owner", s.Owner)))
	if _, refused := table.Refused(err, 0); refused {
		return nil
	}
	if err != nil {
		return fmt.Errorf("release shard %s/%d: %w", s.Ref.Digest, s.Ref.Shard, err)
	}
	return nil
}

// Walked implements delivery.Shards.
func (l Ledger) Walked(ctx context.Context, s delivery.Shard, second bool) (delivery.Shard, error) {
	actions := []table.Action{table.Set("walked", true), table.Set("walkend", s.Next)}
	if second {
		actions = []table.Action{table.Set("rewalked", true)}
	}
	item, err := l.Table.Write(ctx, table.Update(shardKey(s.Ref), actions...).
		When(table.And(table.Eq("owner", s.Owner), table.Eq("next", s.Next))))
	if err = l.lost(err, "end walk of", s.Ref); err != nil {
		return s, err
	}
	return shardOf(s.Ref, item), nil
}

// lost wraps an error of a conditional write on a shard: a refusal is delivery.ErrLost.
func (l Ledger) lost(err error, what string, ref delivery.ShardRef) error {
	if err == nil {
		return nil
	}
	if _, refused := errors.AsType[*table.RefusedError](err); refused {
		err = delivery.ErrLost
	}
	return fmt.Errorf("%s shard %s/%d: %w", what, ref.Digest, ref.Shard, err)
}
