package delivery

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/digest"
)

// An Enqueuer asks for work on shards.
type Enqueuer struct {
	Digests Digests
	Shards  Shards
	Queue   Queue
	Now     func() time.Time
}

// Enqueue asks for work on every shard that is not done and that nobody holds. While the canary is out, that is the first
// one alone.
func (e Enqueuer) Enqueue(ctx context.Context, id string) error {
	c, err := e.Digests.Control(ctx, id)
	if err != nil {
		return err
	}
	if !c.Active() {
		return nil
	}
	shards, err := e.Shards.Shards(ctx, id)
	if err != nil {
		return err
	}
	for _, s := range shards {
		if s.Done() {
			continue
		}
		if s.Owner == "" || !s.Until.Add(clockMargin).After(e.Now()) {
			if err := e.Queue.Send(ctx, ShardMessage(s.Ref), 0); err != nil {
				return fmt.Errorf("enqueue shard %s/%d: %w", id, s.Ref.Shard, err)
			}
		}
		if c.Canary && !c.Cancelled() {
			return nil
		}
	}
	return nil
}

// A Finisher ends digests.
type Finisher struct {
	Digests  Digests
	Shards   Shards
	Progress *Counter
}

// Finish ends a digest when every shard is done.
func (f Finisher) Finish(ctx context.Context, id string) error {
	if err := f.Progress.Stale(ctx, id); err != nil {
		return err
	}
	shards, err := f.Shards.Shards(ctx, id)
	if err != nil {
		return err
	}
	for _, s := range shards {
		if !s.Done() {
			return nil
		}
	}
	if len(shards) == 0 {
		return nil
	}
	return f.Digests.Move(ctx, id, digest.Sent, "")
}
