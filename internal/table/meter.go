package table

import (
	"context"
	"sync"
)

// Capacity is what DynamoDB bills: read units (4 KB strongly consistent, 8 KB eventually) and write
// units (1 KB; twice that in a transaction). Index is the part of Write that indexes took.
type Capacity struct{ Read, Write, Index float64 }

// Plus returns the sum of two capacities.
func (c Capacity) Plus(d Capacity) Capacity {
	return Capacity{c.Read + d.Read, c.Write + d.Write, c.Index + d.Index}
}

type meterKey struct{}

type meter struct {
	mu  sync.Mutex
	sum Capacity
}

// Metered reports whether someone wants to know the capacity that calls with this context use. If so,
// an engine measures it and calls Report: only the engine knows what a write met.
func Metered(ctx context.Context) bool {
	_, ok := ctx.Value(meterKey{}).(*meter)
	return ok
}

// Report adds to the capacity used under a metered context, and does nothing under another.
func Report(ctx context.Context, c Capacity) {
	if m, ok := ctx.Value(meterKey{}).(*meter); ok {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sum = m.sum.Plus(c)
	}
}
