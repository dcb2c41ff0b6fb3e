package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/table"
)

// Rates keeps who holds which share of SES's sending rate, in one item that every change replaces on condition that nobody
// else has: "RATE"/"A". It implements delivery.Rates.
type Rates struct {
	Table table.Table
	Now   func() time.Time
}

var rateKey = table.Key{PK: "RATE", SK: "A"}

// A share is one worker's lease, or what is left of one that was given back: from when it may be used again.
type share struct {
	Owner string  `json:"owner,omitempty"` // empty: given back
	Rate  float64 `json:"rate"`
	Until int64   `json:"until"` // Unix ms
}

// smallShare is the part of what was asked for below which a share is not worth a worker.
const smallShare = 0.1

// Lease implements delivery.Rates.
func (r Rates) Lease(ctx context.Context, owner string, ask, limit float64, until time.Time) (delivery.Share, error) {
	var got delivery.Share
	err := r.change(ctx, func(held []share) []share {
		held = slices.DeleteFunc(held, func(s share) bool { return s.Owner == owner })
		got = delivery.Share{}
		left, back := limit, 0.0
		for _, s := range held {
			if s.Owner != "" {
				left -= s.Rate
				continue
			}
			back += s.Rate
			if at := time.UnixMilli(s.Until); at.After(got.From) {
				got.From = at
			}
		}
		if got.Rate = min(ask, left); got.Rate < ask*smallShare || got.Rate <= 0 {
			got = delivery.Share{}
			return held
		}
		if got.Rate <= left-back {
			got.From = time.Time{} // nobody has used it just now
		}
		return append(held, share{owner, got.Rate, until.UnixMilli()})
	})
	if err != nil {
		return delivery.Share{}, fmt.Errorf("lease a share of the rate: %w", err)
	}
	return got, nil
}

// Return implements delivery.Rates.
func (r Rates) Return(ctx context.Context, owner string, from time.Time) error {
	err := r.change(ctx, func(held []share) []share {
		i := slices.IndexFunc(held, func(s share) bool { return s.Owner == owner })
		if i < 0 {
			return held
		}
		if rest := (share{Rate: held[i].Rate, Until: from.UnixMilli()}); from.After(r.Now()) {
			held[i] = rest
			return held
		}
		return slices.Delete(held, i, i+1)
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
		now := r.Now()
		held = f(slices.DeleteFunc(held, func(s share) bool {
			if s.Owner == "" {
				return s.Until <= now.UnixMilli()
			}
			return s.Until < now.Add(-delivery.ShareLapse).UnixMilli()
		}))
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
