package delivery

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/digest"
)

// A Course is what dispatch and deliver have in common: they ask for work on a digest's shards, and end it when all are done.
type Course struct {
	Digests  Digests
	Shards   Shards
	Queue    Queue
	Progress *Counter
	Now      func() time.Time
}

// lostAfter is how long after its time a message that was to wake a shard counts as lost. Sooner, the sweeper would add a
// second message to each that waits, and each of them would go on by messages of its own.
const lostAfter = time.Minute

// Enqueue asks for work on every shard that is not done, that nobody holds and that no message is about to wake. While the
// canary is out, that is the first one alone.
func (c Course) Enqueue(ctx context.Context, id string) error {
	control, err := c.Digests.Control(ctx, id)
	if err != nil {
		return err
	}
	if !control.Active() {
		return nil
	}
	shards, err := c.Shards.Shards(ctx, id)
	if err != nil {
		return err
	}
	now := c.Now()
	for _, s := range shards {
		if s.Done() {
			continue
		}
		free := s.Owner == "" || !s.Until.Add(ClockMargin).After(now)
		awaited := !s.Wake.IsZero() && s.Wake.Add(lostAfter).After(now)
		if free && !awaited {
			if err := c.Queue.Send(ctx, ShardMessage(s.Ref), 0); err != nil {
				return fmt.Errorf("enqueue shard %s/%d: %w", id, s.Ref.Shard, err)
			}
		}
		if control.Canary && !control.Cancelled() {
			return nil
		}
	}
	return nil
}

// Finish ends a digest when every shard is done. Its progress is counted before, so that whoever reads that a digest is sent
// reads figures in which nobody is unresolved.
func (c Course) Finish(ctx context.Context, id string) error {
	if err := c.Progress.Stale(ctx, id); err != nil {
		return err
	}
	shards, err := c.Shards.Shards(ctx, id)
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
	if err := c.Progress.Recount(ctx, id); err != nil {
		return err
	}
	p, err := c.Progress.Progress(ctx, id)
	if err != nil {
		return err
	}
	return c.Digests.Move(ctx, id, digest.Sent, remark(p))
}

// remark says what editors should know of a digest that has ended, or nothing.
func remark(p digest.Progress) string {
	if p.Duplicates == 0 {
		return ""
	}
	return fmt.Sprintf("Second copies that went out: %d. SES's reports of the first ones did not come in time.", p.Duplicates)
}
