package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"
)

// An Event is one event of SES as the template's input transformer passes it on: nothing personal is in it.
type Event struct {
	Type          string `json:"type"`
	MessageID     string `json:"messageId"`
	At            string `json:"at"`
	Digest        string `json:"digest"`
	Shard         string `json:"shard"`
	Batch         string `json:"batch"`
	Attempt       string `json:"attempt"`
	Slot          string `json:"slot"`
	BounceType    string `json:"bounceType"`
	BounceSubType string `json:"bounceSubType"`
	Status        string `json:"status"`
	FeedbackType  string `json:"feedbackType"`
}

// A Suppressor ends the mailing of people whose mail bounces or who complain.
type Suppressor interface {
	// Bounced notes a hard bounce, Complained a complaint. Both are idempotent, and no error for an unknown ID.
	Bounced(ctx context.Context, id string) error
	Complained(ctx context.Context, id string) error
}

// Feedback writes SES's events into the ledger.
type Feedback struct {
	Batches  Batches
	People   Suppressor
	Progress *Counter
	Log      *slog.Logger
	Now      func() time.Time
}

// group is what one batch's events come to.
type group struct {
	marks    Marks
	leave    map[int64]func(context.Context, string) error // slots whose subscribers are mailed no more
	messages []string
}

// Handle works through a window of messages, one ledger write for each batch that they are about, and returns
// the IDs of the messages that failed. bodies maps message IDs to event bodies. An event that is not of a digest is of
// no concern here; one that cannot be read fails, and ends in the dead-letter queue with the reason in the log.
func (f *Feedback) Handle(ctx context.Context, bodies map[string][]byte) (failed []string) {
	groups := map[BatchRef]*group{}
	for id, body := range bodies {
		var ev Event
		if err := json.Unmarshal(body, &ev); err != nil {
			f.Log.ErrorContext(ctx, "event is not JSON of the known shape", "message", id)
			failed = append(failed, id)
			continue
		}
		if ev.Digest == "" {
			continue
		}
		ref, slot, attempt, err := ev.place()
		if err != nil {
			f.Log.ErrorContext(ctx, "event names no place in the ledger", "message", id, "digest", ev.Digest)
			failed = append(failed, id)
			continue
		}
		g := groups[ref]
		if g == nil {
			g = &group{marks: Marks{}, leave: map[int64]func(context.Context, string) error{}}
			groups[ref] = g
		}
		g.messages = append(g.messages, id)
		f.note(g, ev, slot, attempt)
	}
	stale := map[string]bool{}
	for ref, g := range groups {
		err := f.apply(ctx, ref, g)
		if errors.Is(err, ErrUnknown) {
			f.Log.WarnContext(ctx, "events of a batch that is not in the ledger", "digest", ref.Digest, "shard", ref.Shard, "batch", ref.Batch, "events", len(g.messages))
			continue
		}
		if err != nil {
			f.Log.ErrorContext(ctx, "events not recorded", "digest", ref.Digest, "shard", ref.Shard, "batch", ref.Batch, "error", err)
			failed = append(failed, g.messages...)
			continue
		}
		stale[ref.Digest] = true
	}
	for digest := range stale {
		if err := f.Progress.Stale(ctx, digest); err != nil {
			f.Log.WarnContext(ctx, "progress is older than the ledger", "digest", digest, "error", err)
		}
	}
	return failed
}

// place returns the slot that an event is about.
func (ev Event) place() (ref BatchRef, slot int64, attempt int, err error) {
	shard, err1 := strconv.Atoi(ev.Shard)
	batch, err2 := strconv.ParseInt(ev.Batch, 10, 64)
	attempt, err3 := strconv.Atoi(ev.Attempt)
	slot, err4 := strconv.ParseInt(ev.Slot, 10, 64)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return ref, 0, 0, err
	}
	if shard < 0 || shard >= MaxShards || batch < 0 || attempt < 1 || slot < 0 || slot >= MaxEntries {
		return ref, 0, 0, fmt.Errorf("out of range")
	}
	return BatchRef{ShardRef{ev.Digest, shard}, batch}, slot, attempt, nil
}

// note adds an event to its batch's group. Any event of an attempt proves that SES had accepted it.
func (f *Feedback) note(g *group, ev Event, slot int64, attempt int) {
	g.marks.add(Mark(markSeen+strconv.Itoa(attempt)), slot)
	switch ev.Type {
	case "Delivery":
		g.marks.add(MarkDelivered, slot)
	case "Reject":
		g.marks.add(MarkRejected, slot)
	case "Rendering Failure":
		g.marks.add(MarkUnrendered, slot)
	case "Bounce":
		g.marks.add(MarkBounced, slot)
		if ev.BounceType == "Permanent" {
			g.leave[slot] = f.People.Bounced
		}
	case "Complaint":
		if ev.FeedbackType == "not-spam" {
			return // a report that it was not spam
		}
		g.marks.add(MarkComplained, slot)
		g.leave[slot] = f.People.Complained
	}
}

// apply suppresses first and records after it: a record that is missing is written again when the events come again.
func (f *Feedback) apply(ctx context.Context, ref BatchRef, g *group) error {
	if len(g.leave) > 0 {
		b, err := f.Batches.Batch(ctx, ref)
		if err != nil {
			return err
		}
		for slot, leave := range g.leave {
			if int(slot) >= len(b.IDs) {
				return fmt.Errorf("slot %d: %w", slot, ErrUnknown)
			}
			if err := leave(ctx, b.IDs[slot]); err != nil {
				return err
			}
		}
	}
	return f.Batches.Mark(ctx, ref, g.marks, false)
}
