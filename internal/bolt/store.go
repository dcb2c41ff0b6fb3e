// Package bolt keeps a table in one file, so that Tidings runs whole on a laptop, in every test and in
// the simulation with the same stores as on DynamoDB.
//
// It executes table's operations on go.etcd.io/bbolt: a bucket holds the items, one more each index,
// and one Write is one transaction of the file. It starts no goroutine and reads no clock, so it works
// within a testing/synctest bubble; expired items go only when Expire is called.
//
// Its indexes are written in the item's own transaction, so they never lag. All of that happens in
// index.go: a simulation that wants lag delays it there or wraps Query.
package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	bbolt "go.etcd.io/bbolt"

	"tidings/internal/table"
)

var bucketItems = []byte("items")

// putChunk is how many items BatchPut stores in one transaction: enough to spread the cost of a sync,
// few enough not to hold up other writers.
const putChunk = 500

// Store is a table.Table in one file.
type Store struct{ db *bbolt.DB }

var _ table.Table = (*Store)(nil)

// An Option changes how Open opens a file.
type Option func(*bbolt.Options)

// NoSync leaves writing to the operating system: much faster, and a crash of the machine (not of the
// process) may destroy the file. For tests, benchmarks and simulation.
func NoSync() Option {
	return func(o *bbolt.Options) { o.NoSync, o.NoGrowSync, o.NoFreelistSync = true, true, true }
}

// Open opens or creates the file. Only one process can have it open; another waits a second and fails.
func Open(path string, opts ...Option) (*Store, error) {
	o := *bbolt.DefaultOptions
	o.Timeout = time.Second
	o.FreelistType = bbolt.FreelistMapType
	for _, opt := range opts {
		opt(&o)
	}
	db, err := bbolt.Open(path, 0o600, &o)
	if err != nil {
		return nil, fmt.Errorf("bolt: open %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketItems, bucketAudience, bucketList, bucketTTL} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bolt: open %s: %w", path, err), db.Close())
	}
	return &Store{db}, nil
}

// Close waits for running transactions and closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Get implements table.Table.
func (s *Store) Get(ctx context.Context, key table.Key) (table.Item, error) {
	if err := table.CheckKey(key); err != nil {
		return nil, fmt.Errorf("bolt: get: %w", err)
	}
	found, err := s.read(ctx, []table.Key{key})
	if err != nil {
		return nil, fmt.Errorf("bolt: get %s/%s: %w", key.PK, key.SK, err)
	}
	item, ok := found[key]
	if !ok {
		return nil, fmt.Errorf("bolt: get %s/%s: %w", key.PK, key.SK, table.ErrNotFound)
	}
	return item, nil
}

// BatchGet implements table.Table.
func (s *Store) BatchGet(ctx context.Context, keys []table.Key) (map[table.Key]table.Item, error) {
	if err := table.CheckKeys(keys); err != nil {
		return nil, fmt.Errorf("bolt: batch get: %w", err)
	}
	found, err := s.read(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("bolt: batch get of %d keys: %w", len(keys), err)
	}
	return found, nil
}

func (s *Store) read(ctx context.Context, keys []table.Key) (map[table.Key]table.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found := make(map[table.Key]table.Item, len(keys))
	err := s.db.View(func(tx *bbolt.Tx) error {
		items := tx.Bucket(bucketItems)
		for _, key := range keys {
			if raw := items.Get(mainKey(key)); raw != nil {
				item, err := decodeItem(key, raw)
				if err != nil {
					return err
				}
				found[key] = item
			}
			if table.Metered(ctx) {
				table.Report(ctx, table.GetUnits(found[key]))
			}
		}
		return nil
	})
	return found, err
}

// BatchPut implements table.Table.
func (s *Store) BatchPut(ctx context.Context, items []table.Item) error {
	if err := table.CheckItems(items); err != nil {
		return fmt.Errorf("bolt: batch put: %w", err)
	}
	for len(items) > 0 {
		n := min(len(items), putChunk)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("bolt: batch put: %w", err)
		}
		err := s.db.Update(func(tx *bbolt.Tx) error {
			for _, item := range items[:n] {
				if _, err := write(ctx, tx, []table.Op{table.Put(item)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("bolt: batch put: %w", err)
		}
		items = items[n:]
	}
	return nil
}
