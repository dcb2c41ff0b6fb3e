package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// A Suppressor ends the mailing of people whose mail bounces or who complain.
type Suppressor interface {
	// Bounced notes a hard bounce, Complained a complaint. Both are idempotent, and no error for an unknown ID.
	Bounced(ctx context.Context, id string) error
	Complained(ctx context.Context, id string) error
}

// Outcomes is the part of the ledger that events are about.
type Outcomes interface {
	// Batch reads a batch with its marks.
	Batch(ctx context.Context, ref BatchRef) (Batch, error)
	// Note adds marks to a batch that exists, and returns all that it has then.
	Note(ctx context.Context, ref BatchRef, marks Marks) (Marks, error)
}

// Feedback writes SES's events into the ledger.
type Feedback struct {
	Batches  Outcomes
	People   Suppressor
	Evidence Evidence
	Lateness Lateness
	Progress *Counter
	Log      *slog.Logger
}

// group is what one batch's events come to.
type group struct {
	ref                 BatchRef
	marks               Marks
	bounced, complained []int64  // slots whose subscribers are mailed no more
	messages            []string // that the events came in
}

// Handle works through a window of messages, one ledger write for each batch that they are about, and returns
// the IDs of the messages that failed. bodies maps message IDs to event bodies. An event that is not of a digest is of
// no concern here; one that cannot be read fails, and ends in the dead-letter queue with the reason in the log.
func (f *Feedback) Handle(ctx context.Context, bodies map[string][]byte) (failed []string) {
	var groups []*group
	byRef := map[BatchRef]*group{}
	var heard time.Time
	for _, id := range slices.Sorted(maps.Keys(bodies)) {
		ev, err := ParseEvent(bodies[id])
		if err != nil {
			f.Log.ErrorContext(ctx, "event can't be read", "message", id, "error", err)
			failed = append(failed, id)
			continue
		}
		if ev.Type == EventSend && ev.At.After(heard) {
			heard = ev.At
		}
		if ev.Digest == "" || ev.Digest == probeDigest {
			continue
		}
		g := byRef[ev.Ref]
		if g == nil {
			g = &group{ref: ev.Ref, marks: Marks{}}
			byRef[ev.Ref], groups = g, append(groups, g)
		}
		g.messages = append(g.messages, id)
		g.note(ev)
	}
	failed = append(failed, f.applyAll(ctx, groups)...)
	// The witness vouches for what came before it, so it is heard last, and only when nothing is left behind.
	if len(failed) == 0 && !heard.IsZero() {
		if err := f.Evidence.Heard(ctx, heard); err != nil {
			f.Log.WarnContext(ctx, "witness not recorded", "error", err)
		}
	}
	return failed
}

// applyAll applies each group and returns the messages of those that failed.
func (f *Feedback) applyAll(ctx context.Context, groups []*group) (failed []string) {
	changed := map[string][]string{} // the messages of each digest whose ledger has changed
	for _, g := range groups {
		log := f.Log.With("digest", g.ref.Digest, "shard", g.ref.Shard, "batch", g.ref.Batch, "events", len(g.messages))
		err := f.apply(ctx, g)
		switch {
		case errors.Is(err, ErrUnknown):
			log.WarnContext(ctx, "events of a batch that is not in the ledger")
		case err != nil:
			log.ErrorContext(ctx, "events not recorded", "error", err)
			failed = append(failed, g.messages...)
		default:
			changed[g.ref.Digest] = append(changed[g.ref.Digest], g.messages...)
		}
	}
	for _, digest := range slices.Sorted(maps.Keys(changed)) {
		if err := f.Progress.Stale(ctx, digest); err != nil {
			f.Log.ErrorContext(ctx, "progress is older than the ledger", "digest", digest, "error", err)
			failed = append(failed, changed[digest]...)
		}
	}
	return failed
}

// note adds an event to its batch's group. Any event of an attempt proves that SES had accepted it.
func (g *group) note(ev Event) {
	g.marks.add(ev.mark(), ev.Slot)
	switch ev.Type {
	case EventDelivery:
		g.marks.add(MarkDelivered, ev.Slot)
	case EventReject:
		g.marks.add(MarkRejected, ev.Slot)
	case EventRenderingFailure:
		g.marks.add(MarkUnrendered, ev.Slot)
	case EventBounce:
		switch ev.BounceType {
		case "Transient":
			g.marks.add(MarkSoft, ev.Slot)
		case "Permanent":
			g.marks.add(MarkBounced, ev.Slot)
			g.bounced = append(g.bounced, ev.Slot)
		default: // Undetermined
			g.marks.add(MarkBounced, ev.Slot)
		}
	case EventComplaint:
		if ev.FeedbackType == "not-spam" {
			return // a report that it was not spam
		}
		g.marks.add(MarkComplained, ev.Slot)
		g.complained = append(g.complained, ev.Slot)
	}
}

// apply suppresses first and records after it: a record that is missing is written again when the events come again.
func (f *Feedback) apply(ctx context.Context, g *group) error {
	if len(g.bounced)+len(g.complained) > 0 {
		b, err := f.Batches.Batch(ctx, g.ref)
		if err != nil {
			return err
		}
		if err := each(ctx, b, g.bounced, f.People.Bounced); err != nil {
			return err
		}
		if err := each(ctx, b, g.complained, f.People.Complained); err != nil {
			return err
		}
	}
	all, err := f.Batches.Note(ctx, g.ref, g.marks)
	if err != nil {
		return err
	}
	twice := all.twice()
	if len(twice) == 0 {
		return nil
	}
	alarm(ctx, f.Log, g.ref, twice)
	_, err = f.Batches.Note(ctx, g.ref, Marks{MarkTwice: twice})
	return err
}

// alarm reports people who got a second copy, as an error and, unless the process dies at once, only once.
func alarm(ctx context.Context, log *slog.Logger, ref BatchRef, slots []int64) {
	log.ErrorContext(ctx, "duplicates: SES accepted two attempts", "digest", ref.Digest, "shard", ref.Shard, "batch", ref.Batch, "slots", slots)
}

// each calls f for the subscribers in slots of a batch.
func each(ctx context.Context, b Batch, slots []int64, f func(context.Context, string) error) error {
	for _, s := range slots {
		if int(s) >= len(b.IDs) {
			return fmt.Errorf("slot %d: %w", s, ErrUnknown)
		}
		if err := f(ctx, b.IDs[s]); err != nil {
			return err
		}
	}
	return nil
}
