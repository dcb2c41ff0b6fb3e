package delivery

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/digest"
)

// Tallies keeps the snapshot of a digest's progress.
type Tallies interface {
	// Tally returns the last snapshot; a zero one when there is none.
	Tally(ctx context.Context, digest string) (Tally, error)
	// SaveTally stores a snapshot, unless the ledger was changed after the state that it was counted from.
	SaveTally(ctx context.Context, digest string, t Tally) error
	// StaleTally notes that the ledger has changed since the last snapshot.
	StaleTally(ctx context.Context, digest string) error
	// Outcomes calls f for each batch of a shard with its number of slots and its marks.
	Outcomes(ctx context.Context, ref ShardRef, f func(slots int, m Marks)) error
}

// A Tally is a dated snapshot of a digest's progress.
type Tally struct {
	Progress digest.Progress
	At       time.Time
	Batches  int   // that it was counted from
	Stale    bool  // the ledger has changed since
	Change   int64 // number of the last change that is in it
}

// A Counter counts progress from the ledger, which is the only truth about it, and keeps the count for a while.
type Counter struct {
	Tallies Tallies
	Shards  Shards
	Now     func() time.Time
}

// Stale notes that a digest's ledger has changed.
func (c *Counter) Stale(ctx context.Context, digest string) error {
	if err := c.Tallies.StaleTally(ctx, digest); err != nil {
		return fmt.Errorf("note change of digest %s: %w", digest, err)
	}
	return nil
}

// countCost is what counting one batch may cost of the time until the next count: a small digest's figures are always
// fresh, and those of a million recipients (20,000 batches) at most 40 s old.
const countCost = 2 * time.Millisecond

// Progress returns a digest's figures: the snapshot, or a new count when the ledger has changed. At rest they are exact.
func (c *Counter) Progress(ctx context.Context, id string) (digest.Progress, error) {
	t, err := c.Tallies.Tally(ctx, id)
	if err != nil {
		return digest.Progress{}, fmt.Errorf("read progress of digest %s: %w", id, err)
	}
	if !t.Stale || c.Now().Sub(t.At) < time.Duration(t.Batches)*countCost && c.Now().After(t.At) {
		return t.Progress, nil
	}
	counted := Tally{At: c.Now(), Change: t.Change}
	shards, err := c.Shards.Shards(ctx, id)
	if err != nil {
		return digest.Progress{}, err
	}
	for _, s := range shards {
		err := c.Tallies.Outcomes(ctx, s.Ref, func(slots int, m Marks) {
			counted.Batches++
			tally(&counted.Progress, slots, m)
		})
		if err != nil {
			return digest.Progress{}, err
		}
	}
	if err := c.Tallies.SaveTally(ctx, id, counted); err != nil {
		return digest.Progress{}, fmt.Errorf("keep progress of digest %s: %w", id, err)
	}
	return counted.Progress, nil
}

// tally adds a batch to the figures. Every slot is in exactly one of accepted, failed, skipped, unresolved, or outside the
// audience.
func tally(p *digest.Progress, slots int, m Marks) {
	for i := range int64(slots) {
		switch m.Outcome(i) {
		case NotAsked:
			continue
		case Sent:
			p.Accepted++
		case Failed:
			p.Failed++
		case Skipped:
			p.Skipped++
		case Open:
			p.Unresolved++
		}
		p.Audience++
		p.Duplicates += int64(max(0, len(m.attemptsOf(i))-1))
	}
	p.Delivered += int64(len(m[MarkDelivered]))
	p.Bounced += int64(len(m[MarkBounced]))
	p.Complained += int64(len(m[MarkComplained]))
}
