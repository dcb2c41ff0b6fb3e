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
	// CallWithin is how soon after its attempt's t0 a call begins, or never.
	CallWithin = 10 * time.Second
	// SendBound is the longest that a send call takes; the adapter's time-out.
	SendBound = 30 * time.Second
	// ClockMargin is how far two machines' clocks may differ: a lease's holder stops that long before its end, and a
	// taker waits that long after it.
	ClockMargin = 5 * time.Second
)

// An Index lists the audience.
type Index interface {
	// Mailable returns at most limit IDs of a partition of the audience index, in order, after the given one. Fewer than limit
	// mean that the partition has no more. The index may lag.
	Mailable(ctx context.Context, partition int, after string, limit int) ([]string, error)
}

// People reads the audience.
type People interface {
	Index
	// GetMany reads subscribers consistently. Those that do not exist are missing in the answer.
	GetMany(ctx context.Context, ids []string) (map[string]audience.Subscriber, error)
}

// A Personal makes what differs from one recipient to the next.
type Personal interface {
	// Entry returns the substitutions and the headers of one subscriber's copy of a digest that started at a time.
	Entry(s audience.Subscriber, start time.Time) (data map[string]string, headers []Header, err error)
}

// A Queue takes messages for the workers.
type Queue interface {
	Send(ctx context.Context, body []byte, delay time.Duration) error
}

// A Worker sends one shard of a digest at a time. One Worker serves all invocations of a process.
type Worker struct {
	Course
	Batches  Batches
	Claims   Claims
	People   People
	Personal Personal
	Sender   Sender
	Each     EachSender // for when SES limits bulk calls; nil: then the pace is theirs
	Rates    Rates
	Witness  Witness
	Log      *slog.Logger
	Sleep    func(ctx context.Context, d time.Duration) error
	NewID    func() string
	// Budget is how long an invocation works before it goes on by a new message: less than the function's timeout
	// by more than SendBound.
	Budget time.Duration

	spent spending
	calls callLimit
}

// maxTakeovers is how often a shard may be taken over from a worker that died before it is thought that the shard kills them.
const maxTakeovers = 5

// maxDelay is how long a message may be delayed (SQS: 15 minutes).
const maxDelay = 15 * time.Minute

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
	until := start.Add(w.Budget + SendBound + ClockMargin)
	shard, err := w.Shards.Lease(ctx, ref, w.NewID(), until)
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
	if r.changed {
		if stale := w.Progress.Stale(ctx, ref.Digest); err == nil {
			err = stale
		}
	}
	if errors.Is(err, ErrLost) {
		w.Log.WarnContext(ctx, "lease lost to another worker", "digest", ref.Digest, "shard", ref.Shard)
		return nil
	}
	if err != nil {
		// The lease is left to end by itself: what failed once would fail at once again.
		return fmt.Errorf("shard %s/%d: %w", ref.Digest, ref.Shard, err)
	}
	return w.leave(ctx, r.shard, next)
}

// leave gives the shard back and goes on with it as it needs.
func (w *Worker) leave(ctx context.Context, s Shard, next time.Duration) error {
	if s.Done() {
		if err := w.Shards.Release(ctx, s, time.Time{}); err != nil {
			return err
		}
		return w.Finish(ctx, s.Ref.Digest)
	}
	if next == onHold {
		return w.Shards.Release(ctx, s, time.Time{})
	}
	next = min((next + time.Second - 1).Truncate(time.Second), maxDelay)
	if err := w.Shards.Release(ctx, s, w.Now().Add(next)); err != nil {
		return err
	}
	return w.Queue.Send(ctx, ShardMessage(s.Ref), next)
}

// halt pauses the digest for a reason that the editors read, and gives the lease back.
func (w *Worker) halt(ctx context.Context, s Shard, reason string) error {
	if err := w.Digests.Move(ctx, s.Ref.Digest, digest.Paused, reason); err != nil {
		return err
	}
	return w.Shards.Release(ctx, s, time.Time{})
}

// A run is one invocation of a worker on a shard.
type run struct {
	*Worker
	shard     Shard
	control   Control
	content   Content
	end       time.Time // of the budget
	pace      pacer
	t0        time.Time // of the next attempt
	suspect   bool      // bulk calls were refused, and single sends are to show whether that was for the calls
	bulkBusy  time.Time
	ambiguous int  // answers in a row that left open whether anything was sent
	rendered  bool // a copy of the digest was rendered
	changed   bool // the ledger has changed since progress was last called stale
	noted     time.Time
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
	if r.content, err = r.Digests.Content(ctx, r.shard.Ref.Digest); errors.Is(err, ErrContent) {
		r.Log.ErrorContext(ctx, "digest can't go on", "digest", r.shard.Ref.Digest, "error", err)
		return onHold, r.Digests.Move(ctx, r.shard.Ref.Digest, digest.Paused, "The content is not what was checked and scheduled. Cancel this digest: who was not sent it yet can get a copy of it.")
	} else if err != nil {
		return 0, err
	}
	limit := account.Rate * rateShare
	sharers, err := r.sharers(ctx, account.Rate)
	if err != nil {
		return 0, err
	}
	share, err := r.Rates.Lease(ctx, r.shard.Owner, limit/float64(sharers), limit, until)
	if err != nil {
		return 0, err
	}
	if share.Rate == 0 {
		return again, nil
	}
	r.pace = pacer{share: share.Rate, next: share.From}
	next, err := r.loop(ctx)
	if back := r.Rates.Return(ctx, r.shard.Owner, r.pace.next); back != nil {
		r.Log.WarnContext(ctx, "share of the rate not returned", "digest", r.shard.Ref.Digest, "shard", r.shard.Ref.Shard, "error", back)
	}
	return next, err
}

// sharers is how many workers the rate is to be shared by: as many as it needs, or as there are shards left, if these are more. Then
// all of them go on side by side and end at about the same time; with shares for fewer, the last ones would have the rate to
// themselves and could not use it.
func (r *run) sharers(ctx context.Context, rate float64) (int, error) {
	n := Workers(rate)
	if n == 1 {
		return n, nil
	}
	shards, err := r.Shards.Shards(ctx, r.shard.Ref.Digest)
	if err != nil {
		return 0, err
	}
	left := 0
	for _, s := range shards {
		if !s.Done() {
			left++
		}
	}
	return max(n, left), nil
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

// size is how many recipients a batch may have.
func (r *run) size(ctx context.Context) (int, error) {
	account, err := r.Sender.Account(ctx)
	return account.callSize(), err
}

// claim takes subscribers into a batch and sends it.
func (r *run) claim(ctx context.Context, ids []string) error {
	shard, batch, err := r.Batches.Claim(ctx, r.shard, ids)
	if err != nil {
		return err
	}
	r.shard, r.changed = shard, true
	if err := r.send(ctx, batch); err != nil {
		return err
	}
	return r.note(ctx)
}

// noteEvery is how often a worker says that the ledger has changed, for those who look at the progress while it works.
const noteEvery = 2 * time.Second

// note says that the ledger has changed.
func (r *run) note(ctx context.Context) error {
	if now := r.Now(); r.changed && now.Sub(r.noted) >= noteEvery {
		r.changed, r.noted = false, now
		return r.Progress.Stale(ctx, r.shard.Ref.Digest)
	}
	return nil
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
