package delivery

import (
	"context"
	"slices"
	"sync"
	"time"
)

// An EachSender sends the mails of a batch by a call each. SES's quotas page exempts single sends from a limit of one call a
// second and is silent about bulk calls: where it limits those, single sends fill the rate.
type EachSender interface {
	// SendEach makes one call for each entry, several at a time: none that would begin later than CallWithin after SignedAt, and no
	// more after an answer that stands for all of them. It returns within SendBound, with each entry's own answer, in order.
	SendEach(ctx context.Context, b Bulk) []Answer
}

// An Answer is what became of one entry's own call. The zero Answer is an ambiguous one.
type Answer struct {
	Verdict Verdict // NotMade: there was no call
	Code    string  // SES's error code, or a word of ours; holds nothing personal
}

// ForAll reports whether what was answered to one call would be to the next one as well.
func (a Answer) ForAll() bool {
	return a.Verdict == Throttled || a.Verdict == Quota || a.Verdict == Halt
}

// A callLimit is how often SES takes bulk calls, as it has turned out. All of a process share one, which outlives invocations.
// A refusal may be about the recipients, or about the calls. When single sends then pass at the full rate, it was
// about the calls, and from there on one is made from time to time.
type callLimit struct {
	mu    sync.Mutex
	every time.Duration // between calls; 0: no limit is known
	next  time.Time
}

// The time between bulk calls begins a little above the second of SES's quotas page, and finds its way from there.
const (
	firstEvery = 1100 * time.Millisecond
	mostEvery  = time.Minute
	// busyAgain is within what time a second refused bulk call makes the number of calls suspect.
	busyAgain = time.Minute
)

// may reports whether a bulk call may begin now. Then it is reckoned with one.
func (c *callLimit) may(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.every == 0 {
		return true
	}
	if now.Before(c.next) {
		return false
	}
	c.next = now.Add(c.every)
	return true
}

// known reports whether there is a limit.
func (c *callLimit) known() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.every > 0
}

// refused makes bulk calls half as frequent; the first time, it makes them rare. To be too careful costs single calls, and nothing
// of the rate; to be too bold costs the time of a refused call.
func (c *callLimit) refused(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.every = min(max(firstEvery, c.every*2), mostEvery)
	c.next = now.Add(c.every)
}

// accepted makes them more frequent by 1 %, and forgets a limit that is above what the rate allows anyway.
func (c *callLimit) accepted(pace time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.every -= c.every / 100; c.every <= pace {
		c.every = 0
	}
}

// single reports whether the next attempt is to be made by single calls.
func (r *run) single() bool {
	return r.Each != nil && (r.suspect || !r.calls.may(r.Now()))
}

// answeredEach judges an attempt whose slots had a call each. What is refused for itself is in alone, what may be attempted
// again in again.
func (r *run) answeredEach(b Batch, res *result, answers []Answer) {
	for i, slot := range res.slots {
		var a Answer
		if i < len(answers) {
			a = answers[i]
		}
		if res.weigh(a.Verdict); i == 0 {
			res.verdict = a.Verdict
		} else if a.Verdict != res.verdict {
			res.verdict = Ambiguous
		}
		if res.code == "" || a.Verdict == res.some && a.ForAll() {
			res.code = a.Code
		}
		switch a.Verdict {
		case Accepted:
			res.marks.add(b.mark(markAnswered), slot)
		case Dropped:
			res.marks.add(MarkDropped, slot)
		case Ambiguous:
		default:
			res.marks.add(b.mark(markNotSent), slot)
			if a.Verdict == Refused {
				res.alone = append(res.alone, slot)
			} else {
				res.again = append(res.again, slot)
			}
		}
	}
	r.pace.unsent(len(res.again))
	if clear := len(res.marks[b.mark(markAnswered)]); clear < len(res.slots) {
		r.Log.Warn("single sends refused or unanswered", "digest", b.Ref.Digest, "shard", b.Ref.Shard, "batch", b.Ref.Batch,
			"attempt", b.Attempt, "accepted", clear, "calls", len(res.slots), "code", res.code)
	}
}

// busy slows down after an answer that SES was too busy. When it may be meant for bulk calls only, single sends are to show it.
func (r *run) busy(res result) {
	switch {
	case r.Each == nil || res.each || !res.whole:
		r.suspect = false
		r.pace.throttled(r.Now())
	case r.calls.known():
		r.calls.refused(r.Now())
		r.pace.unsent(len(res.slots))
	default:
		now := r.Now()
		r.suspect = now.Sub(r.bulkBusy) < busyAgain // once may be anybody's burst
		r.bulkBusy = now
		r.pace.throttled(now)
	}
}

// taken notes that SES took all of an attempt.
func (r *run) taken(res result) {
	r.pace.accepted()
	switch {
	case res.each && r.suspect: // as many recipients by other calls were not too many
		r.suspect = false
		r.pace.slower = 1
		r.calls.refused(r.Now())
	case !res.each && r.calls.known():
		r.calls.accepted(r.pace.takes(len(res.slots)))
	}
}

// next returns what is to be attempted after an attempt: what was put back, before the groups that wait.
func (res result) next(groups [][]int64) [][]int64 {
	switch mid := len(res.slots) / 2; {
	case res.each && len(res.again) > 0:
		return slices.Insert(groups, 0, res.again)
	case res.each:
	case res.verdict == Throttled:
		return slices.Insert(groups, 0, res.slots)
	case res.verdict == Refused && mid > 0:
		return slices.Insert(groups, 0, res.slots[:mid], res.slots[mid:])
	}
	return groups
}
