package delivery

import (
	"context"
	"errors"
	"time"

	"tidings/internal/digest"
)

// A Control is what a worker must obey of a digest. It is read consistently between claim and attempt, so that who pauses
// or cancels and gets an answer is obeyed from then on.
type Control struct {
	Status  digest.Status
	Version int64     // of the schedule
	SendAt  time.Time // the start that was asked for
	Topics  []string  // of the digest; none: for everyone
	Canary  bool      // only the first batch may be sent yet
	Closed  bool      // a cancelled digest that has no ledger to complete: it never started, or all is done
	// Baseline is the progress at the last resumption: what it was resumed in spite of does not pause it again.
	Baseline digest.Progress
}

// Active reports whether there is work for workers: mail to send, or a cancelled digest's ledger to complete.
func (c Control) Active() bool { return c.Status == digest.Sending || c.Cancelled() && !c.Closed }

// Cancelled reports whether the digest was cancelled.
func (c Control) Cancelled() bool { return c.Status == digest.Cancelled }

// ErrContent says that the frozen content is not what was scheduled.
var ErrContent = errors.New("frozen content is not the scheduled one")

// Digests is what delivery reads and changes of a digest.
type Digests interface {
	// Control returns fault.NotFound for an unknown digest.
	Control(ctx context.Context, digest string) (Control, error)
	// Content returns the frozen content, after it was checked against its hash; else ErrContent.
	Content(ctx context.Context, digest string) (Content, error)
	// PassCanary lets everything be sent.
	PassCanary(ctx context.Context, digest string) error
	// Move changes the state, if the digest is in one that the new one may follow; otherwise it is no error and
	// changes nothing. A cancelled digest that is moved to digest.Sent is closed and stays cancelled.
	Move(ctx context.Context, digest string, to digest.Status, reason string) error
}
