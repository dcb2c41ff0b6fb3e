package delivery

import (
	"context"
	"strings"
	"time"
)

// canaryWait is how soon a worker comes back to see whether the canary lives.
const canaryWait = 5 * time.Second

// canary holds everything but the first batch that reaches anyone back until SES's events show that mail of this digest goes
// out whole. It passes on events, never on time alone: a template that SES can't render, or an event path that is cut, is
// found with at most one batch sent.
func (r *run) canary(ctx context.Context, b Batch) error {
	if !r.control.Canary || r.control.Cancelled() {
		return nil
	}
	for n := int64(0); n < b.Ref.Batch; n++ {
		earlier, err := r.Batches.Batch(ctx, BatchRef{r.shard.Ref, n})
		if err != nil {
			return err
		}
		switch seen, unrendered := earlier.canary(); {
		case unrendered:
			return r.stopDigest(ctx, "SES could not render the first mails of this digest. Nothing else was sent. Mend the content in a copy of this digest.")
		case seen:
			if err := r.Digests.PassCanary(ctx, b.Ref.Digest); err != nil {
				return err
			}
			r.control.Canary = false
			return r.Enqueue(ctx, b.Ref.Digest)
		case len(earlier.OpenSlots()) > 0 || earlier.accepted():
			return stop{canaryWait}
		}
		// Nobody in that batch was sent anything: this one is the canary then.
	}
	return nil
}

// canary reports whether events of the batch's mail have come, and whether they tell that SES could not render it.
func (b Batch) canary() (seen, unrendered bool) {
	for mark, slots := range b.Marks {
		if n, ok := strings.CutPrefix(string(mark), markSeen); ok && isNumber(n) && len(slots) > 0 {
			seen = true
		}
	}
	return seen, len(b.Marks[MarkUnrendered]) > 0
}

// accepted reports whether SES has accepted mail for any slot.
func (b Batch) accepted() bool {
	for i := range int64(len(b.IDs)) {
		if b.Marks.Outcome(i) == Sent {
			return true
		}
	}
	return false
}
