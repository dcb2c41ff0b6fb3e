package delivery

import (
	"context"
	"fmt"
	"math"
)

const (
	shardPeople = 100_000 // recipients that a shard should have at the most, so that all end at about the same time
	canaryFrom  = 200     // recipients from which on a canary is worth its wait
	estimateIDs = 1000    // IDs of a partition that are read at a time to judge the audience's size
)

// plan cuts the audience's partitions into as few equal shards as its size and the rate need.
func (d *Dispatcher) plan(ctx context.Context, id string, c Control) (shards []Shard, canary bool, err error) {
	account, err := d.Account.Account(ctx)
	if err != nil {
		return nil, false, err
	}
	size, err := d.estimate(ctx)
	if err != nil {
		return nil, false, err
	}
	n := shardCount(size, account.Rate)
	width := MaxShards / n
	for i := range n {
		shards = append(shards, Shard{
			Ref: ShardRef{id, i}, From: i * width, To: (i + 1) * width,
			Start: c.SendAt, CutOff: c.SendAt.Add(-d.IndexLag),
		})
	}
	return shards, size >= canaryFrom, nil
}

// shardCount returns the number of shards, a power of two from 1 to MaxShards, so that all have as many partitions.
func shardCount(size int, rate float64) int {
	want := max(float64(Workers(rate)), math.Ceil(float64(size)/shardPeople))
	most := max(1, float64(size)/(4*MaxEntries)) // shards of a small list would send half-empty batches
	n := 1
	for float64(n) < min(want, most) && n < MaxShards {
		n *= 2
	}
	return n
}

// estimate judges the audience's size by its first partition: IDs are keyed hashes, so partitions are about equal. A list so
// small that one partition says little is counted whole.
func (d *Dispatcher) estimate(ctx context.Context) (int, error) {
	first, err := d.count(ctx, 0)
	if err != nil || first >= 10 {
		return first * MaxShards, err
	}
	total := first
	for p := 1; p < MaxShards; p++ {
		n, err := d.count(ctx, p)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// count returns how many IDs a partition of the audience has.
func (d *Dispatcher) count(ctx context.Context, partition int) (int, error) {
	n, after := 0, ""
	for {
		ids, err := d.People.Mailable(ctx, partition, after, estimateIDs)
		if err != nil {
			return 0, fmt.Errorf("estimate audience: %w", err)
		}
		if n += len(ids); len(ids) < estimateIDs {
			return n, nil
		}
		after = ids[len(ids)-1]
	}
}
