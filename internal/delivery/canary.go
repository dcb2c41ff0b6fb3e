package delivery

import (
	"context"
	"slices"
	"strings"
	"time"

	"tidings/internal/mail"
)

const (
	// canaryWait is how soon a worker comes back to see whether the canary lives.
	canaryWait = 5 * time.Second
	// canaryPatience is how long after its attempt a canary is waited for: events are late by minutes, not by more.
	canaryPatience = 15 * time.Minute
	// maxSilent is how many batches in a row may be without any event before the digest pauses.
	maxSilent = 3
)

// renders has one message of the digest rendered, from a recipient's own copy, before this worker sends the first. A template that
// asks for what copies do not have would be taken by SES and dropped later, by each recipient alone.
func (r *run) renders(ctx context.Context, entries map[int64]Entry) error {
	if r.rendered {
		return nil
	}
	for _, e := range entries {
		_, err := mail.Render(mail.Content{Subject: r.content.Subject, HTML: r.content.HTML, Text: r.content.Text}, e.Data)
		if r.rendered = err == nil; err != nil {
			r.Log.ErrorContext(ctx, "digest can't be rendered", "digest", r.shard.Ref.Digest, "error", err)
			return r.stopDigest(ctx, "The content has a substitution that nothing fills, or one without an end. Nothing was sent. Mend the content in a copy of this digest, and cancel this one.")
		}
		break
	}
	return nil
}

// canary holds everything but the first batch that reaches anyone back until SES's events show that mail of this digest goes
// out whole. It passes on events, never on time alone: a template that SES can't render, or an event path that is cut, is
// found with few batches sent. A list that would fit into few batches is its own canary: what can be known beforehand, renders
// finds, and its first batch is a good part of it.
//
// Events get lost. A batch of which nothing is heard for canaryPatience leaves the part to the next; after maxSilent of them in a row
// the digest pauses. Those of which an editor knew when it was resumed count no more.
func (r *run) canary(ctx context.Context, b Batch) error {
	if !r.control.Canary || r.control.Cancelled() {
		return nil
	}
	shards, err := r.Shards.Shards(ctx, b.Ref.Digest)
	if err != nil {
		return err
	}
	silent := 0 // recipients
	for _, s := range shards {
		if s.Ref.Shard > b.Ref.Shard {
			break
		}
		if s.Ref.Shard == b.Ref.Shard {
			s.Next = b.Ref.Batch
		}
		for n := range s.Next {
			earlier, err := r.Batches.Batch(ctx, BatchRef{s.Ref, n})
			if err != nil {
				return err
			}
			passed, unheard, err := r.judge(ctx, earlier)
			if passed || err != nil {
				return err
			}
			silent += unheard
		}
	}
	if silent-int(r.control.Baseline.Accepted) > (maxSilent-1)*MaxEntries {
		return r.stopDigest(ctx, "SES has reported nothing about the first mails of this digest. Look whether its events reach the feedback function, then resume: the next batch shows whether they do.")
	}
	return nil // nothing is to be waited for: this batch is the canary
}

// judge decides what a batch before this one says as a canary: that all is well, or nothing, of how many recipients. It returns a
// stop while it may still say something.
func (r *run) judge(ctx context.Context, b Batch) (passed bool, unheard int, err error) {
	switch seen, spoilt := b.canary(); {
	case spoilt:
		return false, 0, r.stopDigest(ctx, "SES could not render the first mails of this digest, or rejected them. Nothing else was sent. Mend the content in a copy of this digest, and cancel this one.")
	case seen:
		if err := r.Digests.PassCanary(ctx, b.Ref.Digest); err != nil {
			return false, 0, err
		}
		r.control.Canary = false
		return true, 0, r.Enqueue(ctx, b.Ref.Digest)
	case len(b.OpenSlots()) == 0 && !b.accepted():
		return false, 0, nil // nobody was sent anything
	case r.Now().Before(b.T0.Add(canaryPatience)):
		return false, 0, stop{canaryWait}
	}
	return false, len(b.Slots), nil
}

// canary reports whether events of the batch's mail have come, and whether they tell that SES did not send it as it is.
func (b Batch) canary() (seen, spoilt bool) {
	for mark, slots := range b.Marks {
		if n, ok := strings.CutPrefix(string(mark), markSeen); ok && isNumber(n) && len(slots) > 0 {
			seen = true
		}
	}
	return seen, len(b.Marks[MarkUnrendered])+len(b.Marks[MarkRejected]) > 0
}

// accepted reports whether SES has accepted mail for any slot.
func (b Batch) accepted() bool {
	slots := make([]int64, len(b.IDs))
	for i := range slots {
		slots[i] = int64(i)
	}
	return slices.ContainsFunc(slots, func(i int64) bool { return len(b.Marks.attemptsOf(i)) > 0 })
}
