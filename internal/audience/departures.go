package audience

import (
	"context"
	"log/slog"
	"time"
)

// Departures counts by which digest's links people leave. It exists beside Memberships, since a count that fails must keep nobody
// from leaving.
type Departures interface {
	// Listed reports whether a subscriber is on the list.
	Listed(ctx context.Context, id string) (bool, error)
	// Left notes that a subscriber left by a link of a mail; the time is what such links of one digest have in common. To note it
	// twice is to note it once.
	Left(ctx context.Context, mailed time.Time, id string) error
}

// A Doorman counts who leaves. Unsubscribe links of a digest are issued at its start, whenever they are mailed.
type Doorman struct {
	Departures Departures
	Log        *slog.Logger
}

// leave has somebody leave by do, and counts it when it changed anything. Whatever becomes of the count, do alone decides.
func (d *Doorman) leave(ctx context.Context, mailed time.Time, id string, do func() error) error {
	if d == nil {
		return do()
	}
	listed, err := d.Departures.Listed(ctx, id)
	if err != nil {
		d.Log.WarnContext(ctx, "leaving not counted", "subscriber", id, "error", err)
	}
	if err := do(); err != nil || !listed {
		return err
	}
	if err := d.Departures.Left(ctx, mailed, id); err != nil {
		d.Log.WarnContext(ctx, "leaving not counted", "subscriber", id, "error", err)
	}
	return nil
}
