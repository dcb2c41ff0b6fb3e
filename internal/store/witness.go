package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/table"
)

// A Witness keeps how far SES's events have come, when the last probe was sent, and when an event was last late, in one item of the
// ledger's key family: "L#witness"/"W". It implements delivery.Evidence and delivery.Lateness.
type Witness struct {
	Table table.Table
	Now   func() time.Time
}

var witnessKey = table.Key{PK: "L#witness", SK: "W"}

// Heard implements delivery.Evidence. The item keeps the latest time.
func (w Witness) Heard(ctx context.Context, at time.Time) error { return w.note(ctx, "heard", at) }

// Last implements delivery.Evidence.
func (w Witness) Last(ctx context.Context) (time.Time, error) { return w.read(ctx, "heard") }

// Late implements delivery.Lateness. The item keeps the latest time.
func (w Witness) Late(ctx context.Context, at time.Time) error { return w.note(ctx, "late", at) }

// LastLate implements delivery.Lateness.
func (w Witness) LastLate(ctx context.Context) (time.Time, error) { return w.read(ctx, "late") }

// note keeps a time, unless a later one is kept.
func (w Witness) note(ctx context.Context, name string, at time.Time) error {
	_, err := w.Table.Write(ctx, table.Update(witnessKey, table.Set(name, at.UnixMilli())).
		When(table.Or(table.Absent(name), table.Lt(name, at.UnixMilli()))))
	if _, refused := table.Refused(err, 0); err != nil && !refused {
		return fmt.Errorf("note time that an event was %s: %w", name, err)
	}
	return nil
}

func (w Witness) read(ctx context.Context, name string) (time.Time, error) {
	item, err := w.Table.Get(ctx, witnessKey)
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		return time.Time{}, fmt.Errorf("read time that an event was %s: %w", name, err)
	}
	return milli(item, name), nil
}

// ClaimProbe implements delivery.Evidence. A claim whose answer was lost counts as another's: the next one comes soon.
func (w Witness) ClaimProbe(ctx context.Context, within time.Duration) (bool, error) {
	now := w.Now()
	_, err := w.Table.Write(ctx, table.Update(witnessKey, table.Set("probed", now.UnixMilli())).
		When(table.Or(table.Absent("probed"), table.Le("probed", now.Add(-within).UnixMilli()))))
	if _, refused := table.Refused(err, 0); refused {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("claim probe: %w", err)
	}
	return true, nil
}
