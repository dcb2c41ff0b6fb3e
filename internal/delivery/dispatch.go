package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"tidings/internal/digest"
)

// An Opener starts a digest.
type Opener interface {
	// Open turns a scheduled digest of the version into a sending one and writes its shards, all in one transaction, or
	// returns ErrLost.
	Open(ctx context.Context, digest string, version int64, canary bool, shards []Shard) error
}

// A Scheduler runs the sweeper of a digest.
type Scheduler interface {
	EveryMinute(ctx context.Context, name string, payload []byte) error
	Delete(ctx context.Context, name string) error
}

// A RateSource says what SES allows.
type RateSource interface {
	Account(ctx context.Context) (Account, error)
}

// A Dispatcher starts digests at their hour, sweeps while they go out, and ends them.
type Dispatcher struct {
	Opener    Opener
	Digests   Digests
	Shards    Shards
	People    People
	Account   RateSource
	Scheduler Scheduler
	Enqueuer  Enqueuer
	Finisher  Finisher
	Log       *slog.Logger
	Now       func() time.Time
	// IndexLag is how long before the start one must have confirmed to be surely in the index.
	IndexLag time.Duration
}

// sweepName is the name of a digest's sweeper schedule.
func sweepName(digest string) string { return "sweep-" + digest }

// Start freezes who gets a digest and hands its shards to the workers. It can be run again at any time: it plans once, and
// then only enqueues again. A start of another version than the digest's is an old schedule's, and ignored.
func (d *Dispatcher) Start(ctx context.Context, id string, version int64) error {
	c, err := d.Digests.Control(ctx, id)
	if err != nil {
		return fmt.Errorf("start digest %s: %w", id, err)
	}
	if c.Version != version || c.Status != digest.Scheduled && !c.Active() {
		d.Log.InfoContext(ctx, "start ignored: the digest has another schedule or state", "digest", id, "version", version)
		return nil
	}
	if c.Status == digest.Scheduled {
		if _, err := d.Digests.Content(ctx, id); err != nil {
			return fmt.Errorf("start digest %s: %w", id, err)
		}
		shards, canary, err := d.plan(ctx, id, c)
		if err != nil {
			return fmt.Errorf("plan digest %s: %w", id, err)
		}
		// The sweeper comes first, so that there is no moment at which a digest is being sent and nobody looks after it.
		if err := d.Scheduler.EveryMinute(ctx, sweepName(id), SweepMessage(id)); err != nil {
			return fmt.Errorf("start sweeper of digest %s: %w", id, err)
		}
		if err := d.Opener.Open(ctx, id, version, canary, shards); errors.Is(err, ErrLost) {
			d.Log.InfoContext(ctx, "start lost to a change of the digest", "digest", id, "version", version)
			return nil // started by a twin, changed or cancelled; a sweeper without a digest ends itself
		} else if err != nil {
			return fmt.Errorf("open digest %s: %w", id, err)
		}
	}
	return d.Enqueuer.Enqueue(ctx, id)
}

// Sweep looks after a digest that is being sent: shards that nobody holds are enqueued again, one that waits for the quota goes
// on when there is room, a finished one ends, and the sweeper of one that is over stops.
func (d *Dispatcher) Sweep(ctx context.Context, id string) error {
	c, err := d.Digests.Control(ctx, id)
	if err != nil {
		return fmt.Errorf("sweep digest %s: %w", id, err)
	}
	switch {
	case c.Status == digest.Scheduled, c.Status == digest.Paused:
		return nil // its start is about to open it; its editors are about to resume it
	case c.Status == digest.Waiting:
		account, err := d.Account.Account(ctx)
		if err != nil {
			return err
		}
		if account.room(d.Now()) < MaxEntries {
			return nil
		}
		if err := d.Digests.Move(ctx, id, digest.Sending, ""); err != nil {
			return err
		}
	case !c.Active():
		return d.Scheduler.Delete(ctx, sweepName(id))
	}
	if err := d.guard(ctx, id, c.Baseline); err != nil {
		return err
	}
	if err := d.Enqueuer.Enqueue(ctx, id); err != nil {
		return err
	}
	return d.Finisher.Finish(ctx, id)
}

// Limits of what a digest may meet before it pauses. AWS puts an account under review at 5 % bounces and 0.1 % complaints.
const (
	maxBounced    = 0.05
	maxComplained = 0.001
	minBounced    = 20 // people, below which a share means nothing
	minComplained = 5
)

// guard pauses a digest whose bounces or complaints are too many.
func (d *Dispatcher) guard(ctx context.Context, id string, base digest.Progress) error {
	p, err := d.Finisher.Progress.Progress(ctx, id)
	if err != nil {
		return err
	}
	accepted := float64(p.Accepted - base.Accepted)
	bounced, complained := p.Bounced-base.Bounced, p.Complained-base.Complained
	switch {
	case bounced >= minBounced && float64(bounced) >= maxBounced*accepted:
		return d.Digests.Move(ctx, id, digest.Paused, fmt.Sprintf("%d of %.0f mails bounced. Check where these addresses come from before you resume: above 10 %% AWS stops all sending.", bounced, accepted))
	case complained >= minComplained && float64(complained) >= maxComplained*accepted:
		return d.Digests.Move(ctx, id, digest.Paused, fmt.Sprintf("%d of %.0f people marked this mail as spam. Check whether they asked for it before you resume.", complained, accepted))
	}
	return nil
}

const (
	shardPeople = 100_000 // recipients that a shard should have at the most, so that all end at about the same time
	canaryFrom  = 200     // recipients from which on a canary is worth its wait
	estimateIDs = 1000    // IDs of a partition that are read at a time to judge the audience's size
)

// plan cuts the audience's partitions into as few equal shards as its size and the rate need.
func (d *Dispatcher) plan(ctx context.Context, id string, c Control) (shards []Shard, canary bool, err error) {
	account, err := d.Account.Account(ctx)
	if err != nil {
		return nil, false, err
	}
	size, err := d.estimate(ctx)
	if err != nil {
		return nil, false, err
	}
	n := shardCount(size, account.Rate)
	width := MaxShards / n
	for i := range n {
		shards = append(shards, Shard{
			Ref: ShardRef{id, i}, From: i * width, To: (i + 1) * width,
			Start: c.SendAt, CutOff: c.SendAt.Add(-d.IndexLag),
		})
	}
	return shards, size >= canaryFrom, nil
}

// shardCount returns the number of shards, a power of two from 1 to MaxShards, so that all have as many partitions.
func shardCount(size int, rate float64) int {
	want := max(float64(Workers(rate)), math.Ceil(float64(size)/shardPeople))
	most := max(1, float64(size)/(4*MaxEntries)) // shards of a small list would send half-empty batches
	n := 1
	for float64(n) < min(want, most) && n < MaxShards {
		n *= 2
	}
	return n
}

// estimate judges the audience's size by its first partition: IDs are keyed hashes, so partitions are about equal. A list so
// small that one partition says little is counted whole.
func (d *Dispatcher) estimate(ctx context.Context) (int, error) {
	first, err := d.count(ctx, 0)
	if err != nil || first >= 10 {
		return first * MaxShards, err
	}
	total := first
	for p := 1; p < MaxShards; p++ {
		n, err := d.count(ctx, p)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// count returns how many IDs a partition of the audience has.
func (d *Dispatcher) count(ctx context.Context, partition int) (int, error) {
	n, after := 0, ""
	for {
		ids, err := d.People.Mailable(ctx, partition, after, estimateIDs)
		if err != nil {
			return 0, fmt.Errorf("estimate audience: %w", err)
		}
		if n += len(ids); len(ids) < estimateIDs {
			return n, nil
		}
		after = ids[len(ids)-1]
	}
}
