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
	// SaveTally stores a snapshot, unless there is one that counts more changes.
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
	Batches  int       // that it was counted from
	Stale    bool      // the ledger has changed since
	Start    time.Time // of the digest
	Change   int64     // read: number of the ledger's last change; saved: of the last that was noted before the count began
}

// A Counter counts progress from the ledger, which is the only truth about it, and keeps the count for a while.
type Counter struct {
	Tallies Tallies
	Shards  Shards
	// Departures counts who left by a digest's links, which is not in the ledger; nil: nobody is known to.
	Departures Departures
	Now        func() time.Time
}

// Departures counts who left by the links of a digest that started at a time.
type Departures interface {
	Departed(ctx context.Context, start time.Time) (int64, error)
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
	if age := c.Now().Sub(t.At); !t.Stale || age >= 0 && age < time.Duration(t.Batches)*countCost {
		return c.departed(ctx, t)
	}
	if t, err = c.count(ctx, id, t.Change); err != nil {
		return digest.Progress{}, err
	}
	return c.departed(ctx, t)
}

// departed adds to a tally's figures who left since.
func (c *Counter) departed(ctx context.Context, t Tally) (digest.Progress, error) {
	if c.Departures == nil || t.Start.IsZero() {
		return t.Progress, nil
	}
	var err error
	t.Progress.Unsubscribed, err = c.Departures.Departed(ctx, t.Start)
	return t.Progress, err
}

// Recount counts a digest's figures now, however fresh the snapshot is.
func (c *Counter) Recount(ctx context.Context, id string) error {
	t, err := c.Tallies.Tally(ctx, id)
	if err != nil {
		return fmt.Errorf("read progress of digest %s: %w", id, err)
	}
	_, err = c.count(ctx, id, t.Change)
	return err
}

// count counts from a ledger that has changed at least up to a change, and keeps the snapshot.
func (c *Counter) count(ctx context.Context, id string, change int64) (Tally, error) {
	counted := Tally{At: c.Now(), Change: change}
	shards, err := c.Shards.Shards(ctx, id)
	if err != nil {
		return Tally{}, err
	}
	for _, s := range shards {
		counted.Start = s.Start
		err := c.Tallies.Outcomes(ctx, s.Ref, func(slots int, m Marks) {
			counted.Batches++
			tally(&counted.Progress, slots, m)
		})
		if err != nil {
			return Tally{}, err
		}
	}
	if err := c.Tallies.SaveTally(ctx, id, counted); err != nil {
		return Tally{}, fmt.Errorf("keep progress of digest %s: %w", id, err)
	}
	return counted, nil
}

// tally adds a batch to the figures. Every slot is in exactly one of accepted, failed, skipped, unresolved, or outside the
// audience. Unsubscribed is no business of the ledger's, see Departures.
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
