package table

import (
	"context"
	"sync"
)

// A Counter is a Table that counts the calls and the capacity units of another, for tests, benches and
// cost reports. It is safe for concurrent use; its zero value with a Table is ready.
//
// On package bolt the units are computed by the rules in units.go; on package dynamo they are what the
// service answers. Both agree on DynamoDB Local, with one exception: that emulator reports twice what
// transactional writes cost, so halve Transact.Write there.
type Counter struct {
	Table Table

	mu    sync.Mutex
	units Units
}

var _ Table = (*Counter)(nil)

// Use is what calls of one kind used. Calls counts calls of the port, not requests: a BatchPut of 100
// items is one call and four requests.
type Use struct {
	Calls int64
	Capacity
}

// Units is what a table's calls used, by operation. A Write of one operation other than a check counts
// as Write, any other as Transact.
type Units struct{ Get, BatchGet, Query, Write, Transact, BatchPut Use }

// Total returns the sum over all operations.
func (u Units) Total() Use {
	var sum Use
	for _, use := range []Use{u.Get, u.BatchGet, u.Query, u.Write, u.Transact, u.BatchPut} {
		sum.Calls += use.Calls
		sum.Capacity = sum.Plus(use.Capacity)
	}
	return sum
}

// Units returns what has been used since the start or the last Reset.
func (c *Counter) Units() Units {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.units
}

// Reset starts counting from zero and returns what Units would have, without losing a call between.
func (c *Counter) Reset() Units {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.units
	c.units = Units{}
	return u
}

// count runs a call and adds what it used to a field of units. A Counter may wrap another: what the
// inner one sees is reported to the outer one.
func (c *Counter) count(ctx context.Context, field func(*Units) *Use, call func(context.Context) error) error {
	m := &meter{}
	err := call(context.WithValue(ctx, meterKey{}, m))
	Report(ctx, m.sum)
	c.mu.Lock()
	defer c.mu.Unlock()
	use := field(&c.units)
	use.Calls++
	use.Capacity = use.Plus(m.sum)
	return err
}

// Get implements Table.
func (c *Counter) Get(ctx context.Context, key Key) (item Item, err error) {
	err = c.count(ctx, func(u *Units) *Use { return &u.Get }, func(ctx context.Context) error {
		item, err = c.Table.Get(ctx, key)
		return err
	})
	return item, err
}

// BatchGet implements Table.
func (c *Counter) BatchGet(ctx context.Context, keys []Key) (items map[Key]Item, err error) {
	err = c.count(ctx, func(u *Units) *Use { return &u.BatchGet }, func(ctx context.Context) error {
		items, err = c.Table.BatchGet(ctx, keys)
		return err
	})
	return items, err
}

// Query implements Table.
func (c *Counter) Query(ctx context.Context, q Query) (page Page, err error) {
	err = c.count(ctx, func(u *Units) *Use { return &u.Query }, func(ctx context.Context) error {
		page, err = c.Table.Query(ctx, q)
		return err
	})
	return page, err
}

// Write implements Table.
func (c *Counter) Write(ctx context.Context, ops ...Op) (item Item, err error) {
	field := func(u *Units) *Use { return &u.Write }
	if Transactional(ops) {
		field = func(u *Units) *Use { return &u.Transact }
	}
	err = c.count(ctx, field, func(ctx context.Context) error {
		item, err = c.Table.Write(ctx, ops...)
		return err
	})
	return item, err
}

// BatchPut implements Table.
func (c *Counter) BatchPut(ctx context.Context, items []Item) error {
	return c.count(ctx, func(u *Units) *Use { return &u.BatchPut }, func(ctx context.Context) error {
		return c.Table.BatchPut(ctx, items)
	})
}
