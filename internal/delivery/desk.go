package delivery

import (
	"context"

	"tidings/internal/digest"
)

// A Desk is where editors stop a digest that has started, and let it go on. All of it returns fault.NotFound for an unknown
// digest and fault.Conflict for one in another status. What is asked is true when it returns: workers read the status
// between claim and attempt, and the sweeper takes up what was resumed within a minute.
type Desk struct {
	Turns    Turns
	Progress *Counter
}

// Turns are the changes of a started digest's status that are somebody's wish.
type Turns interface {
	// Turn changes the status, if the digest has started and is in one of the statuses, and stores a baseline if there is one.
	Turn(ctx context.Context, digest string, from []digest.Status, to digest.Status, reason string, baseline *digest.Progress) error
}

// Pause stops a digest until it is resumed. At most the attempt that each worker has already written still takes effect.
func (d Desk) Pause(ctx context.Context, id string) error {
	return d.Turns.Turn(ctx, id, []digest.Status{digest.Sending, digest.Waiting}, digest.Paused, "Paused by an editor.", nil)
}

// Resume lets a paused digest go on. What it has met so far does not pause it again.
func (d Desk) Resume(ctx context.Context, id string) error {
	p, err := d.Progress.Progress(ctx, id)
	if err != nil {
		return err
	}
	return d.Turns.Turn(ctx, id, []digest.Status{digest.Paused}, digest.Sending, "", &p)
}

// Cancel ends a digest: whoever was not sent a copy is skipped.
func (d Desk) Cancel(ctx context.Context, id string) error {
	return d.Turns.Turn(ctx, id, []digest.Status{digest.Sending, digest.Waiting, digest.Paused}, digest.Cancelled, "Cancelled by an editor while it was being sent.", nil)
}
