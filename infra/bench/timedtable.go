package main

import (
	"context"
	"syscall"
	"time"

	"tidings/internal/table"
)

// A timedTable adds up the CPU time of its calls, which all come from one locked thread.
type timedTable struct {
	table.Table
	took time.Duration
}

// rusageThread is RUSAGE_THREAD (getrusage(2)).
const rusageThread = 1

// timed adds a call's time.
func (t *timedTable) timed() func() {
	before := usedBy(rusageThread)
	return func() { t.took += usedBy(rusageThread) - before }
}

// Get implements table.Table.
func (t *timedTable) Get(ctx context.Context, key table.Key) (table.Item, error) {
	defer t.timed()()
	return t.Table.Get(ctx, key)
}

// BatchGet implements table.Table.
func (t *timedTable) BatchGet(ctx context.Context, keys []table.Key) (map[table.Key]table.Item, error) {
	defer t.timed()()
	return t.Table.BatchGet(ctx, keys)
}

// Query implements table.Table.
func (t *timedTable) Query(ctx context.Context, q table.Query) (table.Page, error) {
	defer t.timed()()
	return t.Table.Query(ctx, q)
}

// Write implements table.Table.
func (t *timedTable) Write(ctx context.Context, ops ...table.Op) (table.Item, error) {
	defer t.timed()()
	return t.Table.Write(ctx, ops...)
}

// used is the CPU time of this process.
func used() time.Duration { return usedBy(syscall.RUSAGE_SELF) }

func usedBy(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
