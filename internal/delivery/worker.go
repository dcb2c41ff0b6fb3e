package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tidings/internal/audience"
	"tidings/internal/digest"
)

// Bounds of time in which an attempt can take effect.
const (
	// callWithin is how soon after its attempt was written a call begins, or never.
	callWithin = 10 * time.Second
	// sendBound is the longest that a send call takes; the adapter's time-out.
	sendBound = 30 * time.Second
	// clockMargin is how far two machines' clocks may differ: a lease's holder stops that long before its end, and a
	// taker waits that long after it.
	clockMargin = 5 * time.Second
)

// People reads the audience.
type People interface {
	// Mailable returns at most limit IDs of a partition of the audience index, in order, after the given one. Fewer than limit
	// mean that the partition has no more. The index may lag.
	Mailable(ctx context.Context, partition int, after string, limit int) ([]string, error)
	// GetMany reads subscribers consistently. Those that do not exist are missing in the answer.
	GetMany(ctx context.Context, ids []string) (map[string]audience.Subscriber, error)
}

// A Personal makes what differs from one recipient to the next.
type Personal interface {
	// Entry returns the substitutions and the headers of one subscriber's copy.
	Entry(s audience.Subscriber) (data map[string]string, headers []Header, err error)
}

// A Queue takes messages for the workers.
type Queue interface {
	Send(ctx context.Context, body []byte, delay time.Duration) error
}

// A Worker sends one shard of a digest at a time.
type Worker struct {
	Batches  Batches
	Claims   Claims
	People   People
	Personal Personal
	Sender   Sender
	Rates    Rates
	Witness  Witness
	Log      *slog.Logger
	Sleep    func(ctx context.Context, d time.Duration) error
	NewID    func() string

	// Budget is how long an invocation works before it goes on by a new message: less than the function's timeout
	// by more than sendBound.
	Budget time.Duration
	Enqueuer
	Finisher
}

// maxTakeovers is how often a shard may be taken over from a worker that died before it is thought that the shard kills them.
const maxTakeovers = 5

// Run works on a shard until it is done, until there is nothing to do for now, or until the budget is used up. A message
// for a shard that someone else holds, or of a digest that is not being sent, asks for nothing.
func (w *Worker) Run(ctx context.Context, ref ShardRef) error {
	start := w.Now()
	control, err := w.Digests.Control(ctx, ref.Digest)
	if err != nil {
		return err
	}
	if !control.Active() {
		return nil
	}
	owner := w.NewID()
	until := start.Add(w.Budget + sendBound + clockMargin)
	shard, err := w.Shards.Lease(ctx, ref, owner, until)
	if errors.Is(err, ErrLeased) {
		return nil
	}
	if err != nil {
		return err
	}
	if shard.Takeovers > maxTakeovers {
		return w.halt(ctx, shard, "The workers of a shard stopped five times without progress. Look at the log of the deliver function, then resume.")
	}
	r := &run{Worker: w, shard: shard, control: control, end: start.Add(w.Budget)}
	next, err := r.work(ctx, until)
	if err != nil {
		// The lease is left to end by itself: what failed once would fail at once again.
		return fmt.Errorf("shard %s/%d: %w", ref.Digest, ref.Shard, err)
	}
	if err := w.Shards.Release(ctx, r.shard); err != nil {
		return err
	}
	if r.shard.Done() {
		return w.Finish(ctx, ref.Digest)
	}
	if next == onHold {
		return nil
	}
	return w.Queue.Send(ctx, ShardMessage(ref), next)
}

// halt pauses the digest for a reason that the editors read, and gives the lease back.
func (w *Worker) halt(ctx context.Context, s Shard, reason string) error {
	if err := w.Digests.Move(ctx, s.Ref.Digest, digest.Paused, reason); err != nil {
		return err
	}
	return w.Shards.Release(ctx, s)
}

// A run is one invocation of a worker on a shard.
type run struct {
	*Worker
	shard     Shard
	control   Control
	content   Content
	end       time.Time // of the budget
	pace      pacer
	ambiguous int // answers in a row that left open whether anything was sent
}

// onHold says that a shard has nothing to do until the sweeper finds otherwise.
const onHold = time.Duration(-1)

// again is how soon a worker that found no share of the rate comes back.
const again = 15 * time.Second

// work leases a share of the rate and sends. It returns after how long to go on by a new message, or onHold.
func (r *run) work(ctx context.Context, until time.Time) (time.Duration, error) {
	account, err := r.Sender.Account(ctx)
	if err != nil {
		return 0, err
	}
	if r.content, err = r.Digests.Content(ctx, r.shard.Ref.Digest); err != nil {
		return 0, err
	}
	limit := account.Rate * rateShare
	r.pace.share, err = r.Rates.Lease(ctx, r.shard.Owner, limit/float64(Workers(account.Rate)), limit, until)
	if err != nil {
		return 0, err
	}
	if r.pace.share == 0 {
		return again, nil
	}
	next, err := r.loop(ctx)
	if back := r.Rates.Return(ctx, r.shard.Owner); back != nil {
		r.Log.WarnContext(ctx, "share of the rate not returned", "digest", r.shard.Ref.Digest, "shard", r.shard.Ref.Shard, "error", back)
	}
	return next, err
}

// A stop is how a run ends before its shard is done: the digest's state, a wait, or the end of the budget.
type stop struct{ next time.Duration }

func (s stop) Error() string { return fmt.Sprintf("stopped, next %s", s.next) }

// loop takes up what earlier invocations left, walks the index, and walks it a second time. It returns after how long to go on.
func (r *run) loop(ctx context.Context) (time.Duration, error) {
	err := r.resume(ctx)
	if err == nil {
		err = r.walk(ctx)
	}
	if err == nil {
		err = r.rewalk(ctx)
	}
	if s, ok := errors.AsType[stop](err); ok {
		return s.next, nil
	}
	return onHold, err
}

// ready returns a stop when the budget is used up or too many batches are open.
func (r *run) ready() error {
	if !r.Now().Before(r.end) {
		return stop{0}
	}
	if len(r.shard.Open) >= MaxOpen {
		return stop{onHold}
	}
	return nil
}

// walk puts the index after the cursor into batches and sends each.
func (r *run) walk(ctx context.Context) error {
	for !r.shard.Walked {
		if err := r.ready(); err != nil {
			return err
		}
		size, err := r.size(ctx)
		if err != nil {
			return err
		}
		ids, err := r.next(ctx, r.shard.Cursor, size)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			r.shard, err = r.Shards.Walked(ctx, r.shard, false)
			return err
		}
		if err := r.claim(ctx, ids); err != nil {
			return err
		}
	}
	return nil
}

// size is how many recipients a call may have: SES refuses more at once than it takes in a second.
func (r *run) size(ctx context.Context) (int, error) {
	account, err := r.Sender.Account(ctx)
	return min(MaxEntries, max(1, int(account.Rate))), err
}

// claim takes subscribers into a batch and sends it.
func (r *run) claim(ctx context.Context, ids []string) error {
	shard, batch, err := r.Batches.Claim(ctx, r.shard, ids)
	if err != nil {
		return err
	}
	r.shard = shard
	return r.send(ctx, batch)
}

// next reads the next IDs after one, across the shard's partitions, so that small partitions fill batches too.
func (r *run) next(ctx context.Context, after string, limit int) ([]string, error) {
	partition := r.shard.From
	if after != "" {
		partition = audience.Partition(after)
	}
	var ids []string
	for ; partition < r.shard.To && len(ids) < limit; partition++ {
		more, err := r.People.Mailable(ctx, partition, after, limit-len(ids))
		if err != nil {
			return nil, err
		}
		ids, after = append(ids, more...), ""
	}
	return ids, nil
}
