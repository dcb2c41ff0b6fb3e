package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/internal/table"
)

// Rates keeps who holds which share of SES's sending rate, in one item that every change replaces on condition that nobody
// else has: "RATE"/"A". It implements delivery.Rates.
type Rates struct {
	Table table.Table
	Now   func() time.Time
	// Lapse is how long after its end a share still counts as held.
	Lapse time.Duration
}

var rateKey = table.Key{PK: "RATE", SK: "A"}

// A share is one worker's lease.
type share struct {
	Owner string  `json:"owner"`
	Rate  float64 `json:"rate"`
	Until int64   `json:"until"` // Unix ms
}

// smallShare is the part of what was asked for below which a share is not worth a worker.
const smallShare = 0.1

// Lease implements delivery.Rates.
func (r Rates) Lease(ctx context.Context, owner string, ask, limit float64, until time.Time) (float64, error) {
	var got float64
	err := r.change(ctx, func(held []share) []share {
		held = slices.DeleteFunc(held, func(s share) bool { return s.Owner == owner })
		left := limit
		for _, s := range held {
			left -= s.Rate
		}
		if got = min(ask, left); got < ask*smallShare {
			got = 0
			return held
		}
		return append(held, share{owner, got, until.UnixMilli()})
	})
	if err != nil {
		return 0, fmt.Errorf("lease a share of the rate: %w", err)
	}
	return got, nil
}

// Return implements delivery.Rates.
func (r Rates) Return(ctx context.Context, owner string) error {
	err := r.change(ctx, func(held []share) []share {
		return slices.DeleteFunc(held, func(s share) bool { return s.Owner == owner })
	})
	if err != nil {
		return fmt.Errorf("return a share of the rate: %w", err)
	}
	return nil
}

// rateTries bounds how often a change is tried again because someone else was faster.
const rateTries = 20

// change replaces the list of held shares by f's, which is called with those that have not lapsed.
func (r Rates) change(ctx context.Context, f func([]share) []share) error {
	for range rateTries {
		item, err := r.Table.Get(ctx, rateKey)
		if err != nil && !errors.Is(err, table.ErrNotFound) {
			return err
		}
		var held []share
		if doc, ok := item["doc"].([]byte); ok {
			if err := json.Unmarshal(doc, &held); err != nil {
				return fmt.Errorf("decode shares: %w", err)
			}
		}
		live := r.Now().Add(-r.Lapse).UnixMilli()
		held = f(slices.DeleteFunc(held, func(s share) bool { return s.Until < live }))
		doc, err := json.Marshal(held)
		if err != nil {
			return fmt.Errorf("encode shares: %w", err)
		}
		same := table.Absent(table.PK)
		if item != nil {
			same = table.Eq("rev", num(item, "rev"))
		}
		_, err = r.Table.Write(ctx, table.Put(table.Item{
			table.PK: rateKey.PK, table.SK: rateKey.SK, "doc": doc, "rev": num(item, "rev") + 1,
		}).When(same))
		if _, refused := table.Refused(err, 0); !refused {
			return err
		}
	}
	return table.ErrBusy
}
