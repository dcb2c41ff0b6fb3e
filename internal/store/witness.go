package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/internal/table"
)

// A Witness keeps how far SES's events have come and when the last probe was sent, in one item of the ledger's key family:
// "L#witness"/"W". It implements delivery.Evidence.
type Witness struct {
	Table table.Table
	Now   func() time.Time
}

var witnessKey = table.Key{PK: "L#witness", SK: "W"}

// Heard implements delivery.Evidence. The item keeps the latest time.
func (w Witness) Heard(ctx context.Context, at time.Time) error {
	_, err := w.Table.Write(ctx, table.Update(witnessKey, table.Set("heard", at.UnixMilli())).
		When(table.Or(table.Absent("heard"), table.Lt("heard", at.UnixMilli()))))
	if _, refused := table.Refused(err, 0); err != nil && !refused {
		return fmt.Errorf("note time of event: %w", err)
	}
	return nil
}

// Last implements delivery.Evidence.
func (w Witness) Last(ctx context.Context) (time.Time, error) {
	item, err := w.Table.Get(ctx, witnessKey)
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		return time.Time{}, fmt.Errorf("read time of last event: %w", err)
	}
	return milli(item, "heard"), nil
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
