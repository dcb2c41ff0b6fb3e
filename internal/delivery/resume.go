package delivery

import (
	"context"
	"slices"
	"time"
)

const (
	// grace is how long after an attempt's t0 it is waited for its events. SES refuses signatures older than 5 minutes, so an
	// attempt can't take effect later than that; the rest is for its events to arrive.
	grace = 6 * time.Minute
	// effectWithin is how long after its t0 an attempt can take effect at the latest: SES refuses its signature then.
	effectWithin = 5 * time.Minute
	// unknownAfter is how long after its first attempt a slot is given up whose fate can't be known.
	unknownAfter = 24 * time.Hour
)

// resume takes up the batches that earlier invocations left open, oldest first.
func (r *run) resume(ctx context.Context) error {
	for _, n := range slices.Clone(r.shard.Open) {
		if !r.Now().Before(r.end) {
			return stop{0}
		}
		b, err := r.Batches.Batch(ctx, BatchRef{r.shard.Ref, n})
		if err != nil {
			return err
		}
		if err := r.take(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// take does what may be done about an open batch.
func (r *run) take(ctx context.Context, b Batch) error {
	open := b.OpenSlots()
	switch {
	case len(open) == 0:
		return r.close(ctx, b.Ref, nil)
	case b.unsent(open):
		return r.send(ctx, b)
	case r.Now().Before(b.T0.Add(grace)):
		return nil
	}
	// The witness must have seen mail that was sent after the last moment at which this attempt could be, not only after t0: the
	// way of the events may have been cut in between.
	alive, err := r.Witness.Alive(ctx, b.T0.Add(effectWithin))
	if err != nil {
		return err
	}
	// Read again: the events whose arrival the witness vouches for are in the ledger by now, and may not have been before.
	n := b.Attempt
	if b, err = r.Batches.Batch(ctx, b.Ref); err != nil || b.Attempt != n {
		return err
	}
	open = b.OpenSlots()
	if b.silent() {
		alive = false
	}
	switch now := r.Now(); {
	case len(open) == 0:
		return r.close(ctx, b.Ref, nil)
	case alive && !r.control.Cancelled() && b.T0.Sub(b.FirstT0) < unknownAfter:
		return r.send(ctx, b) // no event came, and it would have: nothing was sent
	case alive, !now.Before(b.FirstT0.Add(unknownAfter)):
		marks := Marks{}
		marks.add(MarkUnknown, open...)
		return r.record(ctx, b, marks)
	}
	return nil
}
