package delivery

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"tidings/internal/audience"
)

// send makes attempts at the open slots of a batch until each has an outcome or must wait for events. Its callers have made
// sure that no earlier attempt at any of them can still take effect, and it makes none while the one before is unresolved:
// the ledger remembers the slots of the last attempt only.
func (r *run) send(ctx context.Context, b Batch) error {
	groups := [][]int64{b.OpenSlots()}
	var refused []int64 // alone in their call
	var code string
	for len(groups) > 0 {
		most, err := r.turn(ctx, b)
		if err != nil {
			return err
		}
		slots := groups[0]
		if groups = groups[1:]; most < len(slots) {
			groups = slices.Insert(groups, 0, slots[most:])
			slots = slots[:most]
		}
		entries, skipped, err := r.entries(ctx, b, slots)
		if err != nil {
			return err
		}
		res := result{marks: skipped}
		if len(entries) > 0 {
			if err := r.renders(ctx, entries); err != nil {
				return err
			}
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
		if !b.unsent(b.OpenSlots()) {
			return nil
		}
		groups = res.next(groups)
		if len(res.alone) > 0 {
			refused, code = append(refused, res.alone...), res.code
		}
	}
	return r.drop(ctx, b, refused, code)
}

// drop gives up those whom SES refused alone in their call. When it took nobody of several, it is not they who are to
// blame, and nobody is given up.
func (r *run) drop(ctx context.Context, b Batch, refused []int64, code string) error {
	if len(refused) == 0 {
		return nil
	}
	if len(refused) > 1 && !b.accepted() {
		return r.stopDigest(ctx, fmt.Sprintf("SES refuses the calls of this digest as invalid: %s. %s", code, adviceFor(code)))
	}
	marks := Marks{}
	marks.add(MarkDropped, refused...)
	return r.record(ctx, b, marks)
}

// turn waits until this worker may send again, reads the control, and returns to how many it may.
func (r *run) turn(ctx context.Context, b Batch) (most int, err error) {
	if err := r.canary(ctx, b); err != nil {
		return 0, err
	}
	now := r.Now()
	wait := r.pace.wake(now)
	if wait > longWait || !now.Add(wait).Before(r.end) {
		return 0, stop{wait.Truncate(time.Second)} // the next invocation waits for the rest: a message's delay has whole seconds
	}
	if wait > 0 {
		if err := r.Sleep(ctx, wait); err != nil {
			return 0, err
		}
	}
	r.pace.woke = r.Now()
	r.t0 = r.pace.woke.Truncate(time.Millisecond)
	return r.obey(ctx)
}

// obey reads the control and stops unless the digest is being sent, or ends because it was cancelled. It returns to how
// many the account and its quota let one call go.
func (r *run) obey(ctx context.Context) (most int, err error) {
	if r.control, err = r.Digests.Control(ctx, r.shard.Ref.Digest); err != nil {
		return 0, err
	}
	if !r.control.Active() {
		return 0, stop{onHold}
	}
	if r.control.Cancelled() {
		return MaxEntries, nil
	}
	account, err := r.Sender.Account(ctx)
	if err != nil {
		return 0, err
	}
	// What this process has sent since the account was read, on the supposition that the other workers are as fast.
	inFlight := float64(r.spent.since(account.ReadTime)) * account.Rate * rateShare / r.pace.share
	if most = int(min(account.room()-inFlight, float64(account.callSize()))); most < 1 {
		return 0, r.wait(ctx)
	}
	return most, nil
}

// entries reads the slots' subscribers, consistently and after the claim, and sorts out who is not to be mailed. Who has
// left by now is not in the answer.
func (r *run) entries(ctx context.Context, b Batch, slots []int64) (map[int64]Entry, Marks, error) {
	ids := make([]string, len(slots))
	for i, s := range slots {
		ids[i] = b.IDs[s]
	}
	people, err := r.People.GetMany(ctx, ids)
	if err != nil {
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
		data, headers, err := r.Personal.Entry(person, r.shard.Start)
		if err != nil {
			return nil, nil, fmt.Errorf("make copy for %s: %w", person.ID, err)
		}
		entries[slot] = Entry{To: person.Email, Data: data, Headers: headers, Tags: map[string]string{"slot": strconv.FormatInt(slot, 10)}}
	}
	return entries, skipped, nil
}

// skip returns why a subscriber gets no copy, or "".
func (r *run) skip(s audience.Subscriber, found bool, now time.Time) string {
	switch {
	case found && s.ConfirmedAt.After(r.shard.CutOff):
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

// attempt writes the next attempt and makes its call at once. Its t0 was taken before control and subscribers were read, so that
// CallWithin bounds how long after them it begins too: who leaves or pauses while this process is frozen has left in time.
func (r *run) attempt(ctx context.Context, b Batch, entries map[int64]Entry, skipped Marks) (Batch, result, error) {
	slots := slices.Sorted(maps.Keys(entries))
	t0 := r.t0
	b, err := r.Batches.Attempt(ctx, b, slots, t0)
	if err != nil {
		return b, result{}, err
	}
	res := result{slots: slots, marks: Marks{}}
	res.marks.merge(skipped)
	if wait := r.pace.ready(r.Now()); wait > 0 {
		err = r.Sleep(ctx, wait)
	}
	if err != nil || r.Now().Sub(t0) > CallWithin {
		// This process ends, or it was frozen and someone may count on the call not beginning any more.
		res.verdict = NotMade
		res.marks.add(b.mark(markNotSent), slots...)
		return b, res, nil
	}
	bulk := Bulk{SignedAt: t0, Content: r.content, Tags: map[string]string{
		"digest": b.Ref.Digest, "shard": strconv.Itoa(b.Ref.Shard), "batch": strconv.FormatInt(b.Ref.Batch, 10), "attempt": strconv.Itoa(b.Attempt),
	}}
	for _, s := range slots {
		bulk.Entries = append(bulk.Entries, entries[s])
	}
	r.pace.sent(r.Now(), len(slots))
	r.spent.add(len(slots))
	if res.each = r.single(); res.each {
		r.answeredEach(b, &res, r.Each.SendEach(ctx, bulk))
	} else if results, err := r.Sender.SendBulk(ctx, bulk); err != nil {
		r.refused(b, &res, err)
	} else {
		r.answered(b, &res, results)
	}
	r.spent.unsent(len(res.marks[b.mark(markNotSent)]))
	return b, res, nil
}

// record writes what is known, and closes the batch when every slot has an outcome.
func (r *run) record(ctx context.Context, b Batch, marks Marks) error {
	b.Marks.merge(marks)
	if twice := b.Marks.twice(); len(twice) > 0 {
		alarm(ctx, r.Log, b.Ref, twice)
		marks.add(MarkTwice, twice...)
	}
	if len(b.OpenSlots()) == 0 {
		return r.close(ctx, b.Ref, marks)
	}
	if len(marks) == 0 {
		return nil
	}
	r.changed = true
	return r.Batches.Mark(ctx, b.Ref, marks, false)
}

// close marks a batch and takes it out of the open set.
func (r *run) close(ctx context.Context, ref BatchRef, marks Marks) error {
	r.changed = true
	if err := r.Batches.Mark(ctx, ref, marks, true); err != nil {
		return err
	}
	r.shard.Open = slices.DeleteFunc(slices.Clone(r.shard.Open), func(n int64) bool { return n == ref.Batch })
	return nil
}
