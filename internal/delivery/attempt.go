package delivery

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tidings/internal/audience"
)

// send makes attempts at the open slots of a batch until each has an outcome or must wait for events. Its callers have made
// sure that no earlier attempt at any of them can still take effect.
func (r *run) send(ctx context.Context, b Batch) error {
	if b.Marks == nil {
		b.Marks = Marks{}
	}
	groups := [][]int64{b.OpenSlots()}
	for len(groups) > 0 {
		slots := groups[0]
		groups = groups[1:]
		if err := r.turn(ctx, b); err != nil {
			return err
		}
		entries, skipped, err := r.entries(ctx, b, slots)
		if err != nil {
			return err
		}
		res := result{marks: skipped}
		if len(entries) > 0 {
			if b, res, err = r.attempt(ctx, b, entries, skipped); err != nil {
				return err
			}
		}
		if err := r.record(ctx, b, res.marks); err != nil {
			return err
		}
		if err := r.consequence(ctx, res); err != nil {
			return err
		}
		if mid := len(res.slots) / 2; res.halves && mid > 0 {
			groups = append([][]int64{res.slots[:mid], res.slots[mid:]}, groups...)
		}
	}
	return nil
}

// turn waits until this worker may send again.
func (r *run) turn(ctx context.Context, b Batch) error {
	if err := r.canary(ctx, b); err != nil {
		return err
	}
	if wait := r.pace.wait(r.Now()); wait > longWait {
		return stop{wait}
	} else if wait > 0 {
		return r.Sleep(ctx, wait)
	}
	return nil
}

// entries reads the slots' subscribers and the digest's control, consistently and after the claim, and sorts out who is not
// to be mailed. Who has left by now is not in the answer.
func (r *run) entries(ctx context.Context, b Batch, slots []int64) (map[int64]Entry, Marks, error) {
	ids := make([]string, len(slots))
	for i, s := range slots {
		ids[i] = b.IDs[s]
	}
	people, err := r.People.GetMany(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	if err := r.obey(ctx); err != nil {
		return nil, nil, err
	}
	entries, skipped := map[int64]Entry{}, Marks{}
	now := r.Now()
	for i, slot := range slots {
		person, ok := people[ids[i]]
		if reason := r.skip(person, ok, now); reason != "" {
			skipped.add(Mark(markSkipped+reason), slot)
			continue
		}
		data, headers, err := r.Personal.Entry(person)
		if err != nil {
			return nil, nil, fmt.Errorf("make copy for %s: %w", person.ID, err)
		}
		entries[slot] = Entry{To: person.Email, Data: data, Headers: headers, Tags: map[string]string{"slot": strconv.FormatInt(slot, 10)}}
	}
	return entries, skipped, nil
}

// obey reads the control and stops unless the digest is being sent, or ends because it was cancelled.
func (r *run) obey(ctx context.Context) (err error) {
	if r.control, err = r.Digests.Control(ctx, r.shard.Ref.Digest); err != nil {
		return err
	}
	if !r.control.Active() {
		return stop{onHold}
	}
	if r.control.Cancelled() {
		return nil
	}
	account, err := r.Sender.Account(ctx)
	if err != nil {
		return err
	}
	if account.room(r.Now()) < MaxEntries {
		return r.wait(ctx)
	}
	return nil
}

// skip returns why a subscriber gets no copy, or "".
func (r *run) skip(s audience.Subscriber, found bool, now time.Time) string {
	switch {
	case found && s.Status == audience.Confirmed && s.ConfirmedAt.After(r.shard.CutOff):
		return SkipOutside
	case r.control.Cancelled():
		return SkipCancelled
	case !found || s.Status != audience.Confirmed:
		return SkipLeft
	case now.Before(s.PausedUntil):
		return SkipPaused
	case !audience.TopicsMatch(s.Topics, r.control.Topics):
		return SkipTopics
	}
	return ""
}

// attempt writes the next attempt and makes its call at once, signed at the time that was taken before the write.
func (r *run) attempt(ctx context.Context, b Batch, entries map[int64]Entry, skipped Marks) (Batch, result, error) {
	var slots []int64
	for i := range int64(len(b.IDs)) {
		if _, ok := entries[i]; ok {
			slots = append(slots, i)
		}
	}
	t0 := r.Now().Truncate(time.Millisecond)
	b, err := r.Batches.Attempt(ctx, b, slots, t0)
	if err != nil {
		return b, result{}, err
	}
	res := result{slots: slots, marks: Marks{}}
	res.marks.merge(skipped)
	if r.Now().Sub(t0) > callWithin {
		return b, res, nil // this process was frozen, and someone may count on the call not beginning any more
	}
	bulk := Bulk{SignedAt: t0, Content: r.content, Tags: map[string]string{
		"digest": b.Ref.Digest, "shard": strconv.Itoa(b.Ref.Shard), "batch": strconv.FormatInt(b.Ref.Batch, 10), "attempt": strconv.Itoa(b.Attempt),
	}}
	for _, s := range slots {
		bulk.Entries = append(bulk.Entries, entries[s])
	}
	r.pace.sent(r.Now(), len(slots))
	results, err := r.Sender.SendBulk(ctx, bulk)
	if err != nil {
		r.refused(b, &res, err)
	} else {
		r.answered(b, &res, results)
	}
	return b, res, nil
}

// record writes what is known, and closes the batch when every slot has an outcome.
func (r *run) record(ctx context.Context, b Batch, marks Marks) error {
	b.Marks.merge(marks)
	if len(b.OpenSlots()) == 0 {
		return r.close(ctx, b.Ref, marks)
	}
	if len(marks) == 0 {
		return nil
	}
	return r.Batches.Mark(ctx, b.Ref, marks, false)
}

// close marks a batch and takes it out of the open set.
func (r *run) close(ctx context.Context, ref BatchRef, marks Marks) error {
	if err := r.Batches.Mark(ctx, ref, marks, true); err != nil {
		return err
	}
	r.shard.Open = slices.DeleteFunc(slices.Clone(r.shard.Open), func(n int64) bool { return n == ref.Batch })
	return nil
}
