package delivery

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// MaxShards is the most shards a digest is cut into: one for each partition of the audience index.
const MaxShards = 64

// MaxOpen is how many batches of a shard may be without an outcome for all their slots at one time.
const MaxOpen = 8

// Errors of the ledger that callers act on.
var (
	// ErrLeased says that another worker holds the shard.
	ErrLeased = errors.New("shard is leased")
	// ErrLost says that the ledger has moved on: the lease is another's, or the attempt has been made.
	ErrLost = errors.New("ledger has moved on")
	// ErrUnknown says that there is no such shard or batch.
	ErrUnknown = errors.New("not in the ledger")
)

// A ShardRef names a shard of a digest.
type ShardRef struct {
	Digest string
	Shard  int // 0 to MaxShards-1
}

// A Shard is a run of partitions of the audience index that one worker at a time goes through.
type Shard struct {
	Ref      ShardRef
	From, To int       // partitions, To exclusive
	Start    time.Time // of the digest
	CutOff   time.Time // who confirmed later is not in the audience
	Cursor   string    // the last subscriber ID that is in a batch
	Next     int64     // number of the next batch
	Open     []int64   // batches that have slots without an outcome
	Walked   bool      // every ID of the index is in a batch
	WalkEnd  int64     // number of the batch after the first walk's last
	Second   string    // the second walk's last claim
	Rewalked bool      // the second walk is through
	// Takeovers counts the leases since the last claim, closed batch or orderly release.
	Takeovers int64
	Wake      time.Time // when a message is to go on with the shard; zero: when the sweeper finds it
	Owner     string    // of the lease
	Until     time.Time // end of the lease
}

// Done reports whether nothing is left to do in the shard.
func (s Shard) Done() bool { return s.Rewalked && len(s.Open) == 0 }

// A BatchRef names a batch of a shard.
type BatchRef struct {
	ShardRef
	Batch int64
}

// A Batch is a claim: at most MaxEntries subscribers, each in its slot, that belong to this digest's mail and to no other
// batch of it.
type Batch struct {
	Ref     BatchRef
	IDs     []string // by slot
	Attempt int      // number of the last attempt, 0 before the first
	Slots   []int64  // the slots of the last attempt
	T0      time.Time
	FirstT0 time.Time
	Marks   Marks
}

// A Mark is something known of a slot. Marks are only ever added, and adding one twice is adding it once.
type Mark string

// The marks. Those of attempts carry the attempt's number, so that a slot that two attempts reached is found.
const (
	MarkDelivered  Mark = "delivered"
	MarkBounced    Mark = "bounced"
	MarkSoft       Mark = "soft" // a transient bounce: a full mailbox, an absence
	MarkComplained Mark = "complained"
	MarkRejected   Mark = "rejected"   // SES took the message and then refused it
	MarkUnrendered Mark = "unrendered" // SES could not fill the content
	MarkDropped    Mark = "dropped"    // SES refused the recipient
	MarkUnknown    Mark = "unknown"    // whether it was sent can't be known any more
	MarkTwice      Mark = "twice"      // SES accepted two attempts, and that was reported
	markAnswered        = "a"          // + attempt: SES answered SUCCESS
	markSeen            = "e"          // + attempt: an event of SES
	markSkipped         = "skip-"      // + reason
)

// The reasons to skip a subscriber.
const (
	SkipLeft      = "left"      // unsubscribed, bounced, complained or erased
	SkipPaused    = "paused"    // mail is paused until a later day
	SkipTopics    = "topics"    // chose other topics
	SkipCancelled = "cancelled" // the digest was cancelled before an attempt
	// SkipOutside says that someone met on the way is not in the audience: confirmed after its cut-off.
	SkipOutside = "outside"
)

// Marks holds the slots of each mark of a batch.
type Marks map[Mark][]int64

// add marks slots.
func (m Marks) add(mark Mark, slots ...int64) {
	for _, s := range slots {
		if !slices.Contains(m[mark], s) {
			m[mark] = append(m[mark], s)
		}
	}
}

// merge adds all marks of other.
func (m Marks) merge(other Marks) {
	for mark, slots := range other {
		m.add(mark, slots...)
	}
}

// An Outcome is what became of one slot.
type Outcome string

// The outcomes. Open is none yet.
const (
	Open     Outcome = ""
	Sent     Outcome = "accepted"
	Failed   Outcome = "failed"
	Skipped  Outcome = "skipped"
	NotAsked Outcome = "outside" // not in the audience
)

// Outcome returns what became of a slot, by precedence: failed (rejected, unrendered), accepted, failed (dropped,
// unknown), skipped.
func (m Marks) Outcome(slot int64) Outcome {
	has := func(mark Mark) bool { return slices.Contains(m[mark], slot) }
	if has(MarkRejected) || has(MarkUnrendered) {
		return Failed
	}
	if len(m.attemptsOf(slot)) > 0 {
		return Sent
	}
	if has(MarkDropped) || has(MarkUnknown) {
		return Failed
	}
	if has(markSkipped + SkipOutside) {
		return NotAsked
	}
	for _, reason := range []string{SkipLeft, SkipPaused, SkipTopics, SkipCancelled} {
		if has(Mark(markSkipped + reason)) {
			return Skipped
		}
	}
	return Open
}

// attemptsOf returns the distinct attempts that SES is known to have accepted for a slot. More than one is a duplicate.
func (m Marks) attemptsOf(slot int64) []string {
	attempts := map[string]bool{}
	for mark, slots := range m {
		name := string(mark)
		if (name[:1] == markAnswered || name[:1] == markSeen) && isNumber(name[1:]) && slices.Contains(slots, slot) {
			attempts[name[1:]] = true
		}
	}
	return slices.Collect(maps.Keys(attempts))
}

// twice returns the slots that SES is known to have accepted more than one attempt for, and that were not reported yet.
func (m Marks) twice() []int64 {
	if m.evidence() < 2 {
		return nil
	}
	var slots []int64
	for slot := range int64(MaxEntries) {
		if len(m.attemptsOf(slot)) > 1 && !slices.Contains(m[MarkTwice], slot) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// evidence returns of how many attempts something was accepted.
func (m Marks) evidence() int {
	attempts := map[string]bool{}
	for mark := range m {
		if name := string(mark); (name[:1] == markAnswered || name[:1] == markSeen) && isNumber(name[1:]) {
			attempts[name[1:]] = true
		}
	}
	return len(attempts)
}

func isNumber(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// OpenSlots returns the slots of a batch that have no outcome, in order.
func (b Batch) OpenSlots() []int64 {
	var open []int64
	for i := range b.IDs {
		if b.Marks.Outcome(int64(i)) == Open {
			open = append(open, int64(i))
		}
	}
	return open
}

// Shards is the part of the ledger that a worker's lease is about.
type Shards interface {
	// Shards returns a digest's shards in order, none when it was never planned.
	Shards(ctx context.Context, digest string) ([]Shard, error)
	// Lease takes the shard for owner until a time, or returns ErrLeased while another's lease is live, with the margin
	// that clocks may differ by, and ErrUnknown when there is no such shard.
	Lease(ctx context.Context, ref ShardRef, owner string, until time.Time) (Shard, error)
	// Release gives the lease back and notes when a message is to wake the shard. It is no error when the lease is
	// another's by now.
	Release(ctx context.Context, s Shard, wake time.Time) error
	// Walked records that the first walk, or the second, has been through the whole index of the leased shard.
	Walked(ctx context.Context, s Shard, second bool) (Shard, error)
}

// Batches is the part of the ledger that holds claims, attempts and outcomes.
type Batches interface {
	// Claim writes the next batch of a leased shard, moves the cursor of the walk it is in to the last of the IDs and opens the
	// batch, all or nothing.
	// It returns ErrLost when the lease is another's or the shard has moved on.
	Claim(ctx context.Context, s Shard, ids []string) (Shard, Batch, error)
	// Batch reads a batch with its marks.
	Batch(ctx context.Context, ref BatchRef) (Batch, error)
	// Attempt writes the batch's next attempt on condition that there is none of that number, else ErrLost.
	Attempt(ctx context.Context, b Batch, slots []int64, t0 time.Time) (Batch, error)
	// Mark adds marks to a batch that exists, and with close takes it out of its shard's open set.
	Mark(ctx context.Context, ref BatchRef, marks Marks, close bool) error
}

// Claims streams what the first walk claimed.
type Claims interface {
	// Claimed returns the IDs of at most limit batches from a number on, in order, and the number of the batch after them.
	Claimed(ctx context.Context, s Shard, from int64, limit int) (ids []string, next int64, err error)
}
