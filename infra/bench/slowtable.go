package main

import (
	"context"

	"tidings/infra/local/clock"
	"tidings/internal/table"
)

// A slowTable takes on the virtual clock what DynamoDB takes.
type slowTable struct {
	table.Table
	clock *clock.Clock
}

// Get implements table.Table.
func (s slowTable) Get(ctx context.Context, key table.Key) (table.Item, error) {
	if err := s.clock.Sleep(ctx, readTime); err != nil {
		return nil, err
	}
	return s.Table.Get(ctx, key)
}

// BatchGet implements table.Table.
func (s slowTable) BatchGet(ctx context.Context, keys []table.Key) (map[table.Key]table.Item, error) {
	if err := s.clock.Sleep(ctx, 2*readTime); err != nil {
		return nil, err
	}
	return s.Table.BatchGet(ctx, keys)
}

// Query implements table.Table.
func (s slowTable) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := s.clock.Sleep(ctx, 2*readTime); err != nil {
		return table.Page{}, err
	}
	return s.Table.Query(ctx, q)
}

// Write implements table.Table.
func (s slowTable) Write(ctx context.Context, ops ...table.Op) (table.Item, error) {
	d := writeTime
	if table.Transactional(ops) {
		d = transactionTime
	}
	if err := s.clock.Sleep(ctx, d); err != nil {
		return nil, err
	}
	return s.Table.Write(ctx, ops...)
}
