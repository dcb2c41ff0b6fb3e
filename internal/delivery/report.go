package delivery

import (
	"context"
	"fmt"
	"slices"

	"tidings/internal/digest"
	"tidings/internal/fault"
)

// A Reporter reconciles a digest: it lists every recipient with its one outcome, from the ledger. It implements digest.Reporter.
type Reporter struct {
	Shards   Shards
	Pages    Pages
	Progress *Counter
}

// Pages reads batches in order.
type Pages interface {
	// Page returns at most limit batches of a shard with their marks, from a number on.
	Page(ctx context.Context, ref ShardRef, from int64, limit int) ([]Batch, error)
}

const (
	// pageBatches is how many batches are read at a time: two items each, and a read has at most 100.
	pageBatches = 50
	// maxPages bounds the reads of one page, when few recipients have the outcome that is asked for.
	maxPages = 20
)

// unresolved is the outcome in a report of those who have none.
const unresolved = "unresolved"

// Report implements digest.Reporter.
func (r *Reporter) Report(ctx context.Context, id, outcome, cursor string, limit int) (digest.Report, error) {
	if outcome != "" && !slices.Contains([]string{string(Sent), string(Failed), string(Skipped), unresolved}, outcome) {
		return digest.Report{}, fault.Field(fault.Invalid, "outcome", "An outcome is accepted, failed, skipped or unresolved.")
	}
	at, err := parsePlace(cursor)
	if err != nil {
		return digest.Report{}, err
	}
	out := digest.Report{Items: []digest.Recipient{}}
	if out.Totals, err = r.Progress.Progress(ctx, id); err != nil {
		return out, err
	}
	shards, err := r.Shards.Shards(ctx, id)
	if err != nil {
		return out, err
	}
	reads := 0
	for _, s := range shards {
		if s.Ref.Shard < at.shard {
			continue
		}
		if s.Ref.Shard > at.shard {
			at = place{shard: s.Ref.Shard}
		}
		for at.batch < s.Next {
			if reads == maxPages || len(out.Items) >= limit {
				out.Next = at.String()
				return out, nil
			}
			page, err := r.Pages.Page(ctx, s.Ref, at.batch, int(min(s.Next-at.batch, pageBatches)))
			if err != nil {
				return out, fmt.Errorf("report on digest %s: %w", id, err)
			}
			if reads++; len(page) == 0 {
				return out, fmt.Errorf("report on digest %s: batch %d of shard %d: %w", id, at.batch, at.shard, ErrUnknown)
			}
			at = list(&out, page, at, outcome, limit)
		}
	}
	return out, nil
}

// list adds recipients from a place on, until there are as many as asked for, and returns where to go on.
func list(out *digest.Report, page []Batch, at place, outcome string, limit int) place {
	for _, b := range page {
		for ; at.slot < len(b.IDs); at.slot++ {
			if len(out.Items) == limit {
				return at
			}
			line, ok := b.recipient(int64(at.slot))
			if ok && (outcome == "" || outcome == line.Outcome) {
				out.Items = append(out.Items, line)
			}
		}
		at.batch, at.slot = b.Ref.Batch+1, 0
	}
	return at
}

// recipient returns the line of a slot; not ok when its subscriber is not in the audience.
func (b Batch) recipient(slot int64) (line digest.Recipient, ok bool) {
	outcome := b.Marks.Outcome(slot)
	line = digest.Recipient{Subscriber: b.IDs[slot], Outcome: string(outcome)}
	switch outcome {
	case NotAsked:
		return line, false
	case Sent:
		line.Reason = b.Marks.first(slot, "", MarkTwice, MarkComplained, MarkBounced, MarkSoft, MarkDelivered)
	case Failed:
		line.Reason = b.Marks.first(slot, "", MarkRejected, MarkUnrendered, MarkDropped, MarkUnknown)
	case Skipped:
		line.Reason = b.Marks.first(slot, markSkipped, markSkipped+SkipLeft, markSkipped+SkipPaused, markSkipped+SkipTopics, markSkipped+SkipCancelled)
	default:
		line.Outcome, line.Reason = unresolved, "claimed"
		if !b.unsent([]int64{slot}) {
			line.Reason = "attempted"
		}
	}
	return line, true
}

// first returns the name of the first of some marks that a slot has, without a prefix.
func (m Marks) first(slot int64, prefix string, marks ...Mark) string {
	for _, mark := range marks {
		if slices.Contains(m[mark], slot) {
			return string(mark)[len(prefix):]
		}
	}
	return ""
}

// A place is where a page of a report begins.
type place struct {
	shard int
	batch int64
	slot  int
}

func (p place) String() string { return fmt.Sprintf("%d.%d.%d", p.shard, p.batch, p.slot) }

// parsePlace reads a cursor.
func parsePlace(s string) (p place, err error) {
	if s == "" {
		return p, nil
	}
	if _, err := fmt.Sscanf(s, "%d.%d.%d", &p.shard, &p.batch, &p.slot); err != nil || p.String() != s || p.shard < 0 || p.batch < 0 || p.slot < 0 {
		return p, fault.Field(fault.Invalid, "cursor", "The cursor is not one that a page has named as its next.")
	}
	return p, nil
}
