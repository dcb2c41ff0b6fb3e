package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tidings/internal/digest"
	"tidings/internal/fault"
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
	Course
	Opener    Opener
	People    Index
	Account   RateSource
	Scheduler Scheduler
	Log       *slog.Logger
	// IndexLag is how long before the start one must have confirmed to be surely in the index.
	IndexLag time.Duration
}

// sweepName is the name of the sweeper schedule of a digest's version. Each version has its own: what a frozen process had decided
// about an older one's must not end the one that is needed now.
func sweepName(digest string, version int64) string {
	return fmt.Sprintf("sweep-%s-%d", digest, version)
}

// Handle does what a message of KindStart or KindSweep asks for.
func (d *Dispatcher) Handle(ctx context.Context, m Message) error {
	switch m.Kind {
	case KindStart:
		return d.Start(ctx, m.Digest, m.Version)
	case KindSweep:
		return d.Sweep(ctx, m.Digest, m.Version)
	}
	return fmt.Errorf("dispatch has nothing to do with %s messages", m.Kind)
}

// Start freezes who gets a digest and hands its shards to the workers. It can be run again at any time: it plans once, and
// then only enqueues again. A start of another version than the digest's is an old schedule's, and ignored.
func (d *Dispatcher) Start(ctx context.Context, id string, version int64) error {
	c, err := d.Digests.Control(ctx, id)
	if fault.Is(err, fault.NotFound) || err == nil && (c.Version != version || c.Status != digest.Scheduled && !c.Active()) {
		d.Log.InfoContext(ctx, "start ignored: the digest has another schedule or state", "digest", id, "version", version)
		return nil
	}
	if err != nil {
		return fmt.Errorf("start digest %s: %w", id, err)
	}
	if c.Status == digest.Scheduled {
		if err := d.open(ctx, id, c); err != nil {
			return fmt.Errorf("start digest %s: %w", id, err)
		}
	}
	// When a twin was faster, or the digest was changed or cancelled meanwhile, this does what is right by the state.
	return d.Enqueue(ctx, id)
}

// open plans a scheduled digest and starts its sweeper and itself.
func (d *Dispatcher) open(ctx context.Context, id string, c Control) error {
	if _, err := d.Digests.Content(ctx, id); errors.Is(err, ErrContent) {
		d.Log.ErrorContext(ctx, "digest can't start", "digest", id, "error", err)
		return d.Digests.Move(ctx, id, digest.Failed, "The content is not what was checked and scheduled. Make a copy of this digest and schedule that.")
	} else if err != nil {
		return err
	}
	shards, canary, err := d.plan(ctx, id, c)
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	// The sweeper comes first, so that there is no moment at which a digest is being sent and nobody looks after it.
	if err := d.Scheduler.EveryMinute(ctx, sweepName(id, c.Version), SweepMessage(id, c.Version)); err != nil {
		return fmt.Errorf("start sweeper: %w", err)
	}
	if err := d.Opener.Open(ctx, id, c.Version, canary, shards); errors.Is(err, ErrLost) {
		d.Log.InfoContext(ctx, "start lost to a twin or to a change of the digest", "digest", id, "version", c.Version)
		return nil
	} else if err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	return nil
}

// early is how long before a digest's hour its sweeper may be there: less than a minute, since the start makes it.
const early = 5 * time.Minute

// Sweep looks after a digest that is being sent: shards that nobody holds are enqueued again, one that waits for the quota goes
// on when there is room, a finished one ends, and the sweeper of one that is over stops.
func (d *Dispatcher) Sweep(ctx context.Context, id string, version int64) error {
	c, err := d.Digests.Control(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("sweep digest %s: %w", id, err)
	}
	switch {
	case err != nil, c.Version != version, c.Status == digest.Scheduled && c.SendAt.After(d.Now().Add(early)):
		return d.Scheduler.Delete(ctx, sweepName(id, version)) // left from a start that was lost to an editor
	case c.Status == digest.Scheduled, c.Status == digest.Paused:
		return nil // its start is about to open it; its editors are about to resume it
	case c.Status == digest.Waiting:
		account, err := d.Account.Account(ctx)
		if err != nil {
			return err
		}
		if account.room() < 1 {
			return nil
		}
		if err := d.Digests.Move(ctx, id, digest.Sending, ""); err != nil {
			return err
		}
	case !c.Active():
		return d.Scheduler.Delete(ctx, sweepName(id, version))
	}
	if err := d.guard(ctx, id, c.Baseline); err != nil {
		return err
	}
	if err := d.Enqueue(ctx, id); err != nil {
		return err
	}
	return d.Finish(ctx, id)
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
	p, err := d.Progress.Progress(ctx, id)
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
