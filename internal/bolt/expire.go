package bolt

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	bbolt "go.etcd.io/bbolt"
)

// Expire deletes the items whose ttl is at or before now and returns how many those were. DynamoDB
// does the same in the background, some time after; stores count expired items as absent by themselves.
func (s *Store) Expire(ctx context.Context, now time.Time) (int, error) {
	deleted := 0
	for {
		if err := ctx.Err(); err != nil {
			return deleted, fmt.Errorf("bolt: expire: %w", err)
		}
		n := 0
		err := s.db.Update(func(tx *bbolt.Tx) (err error) {
			n, err = expireSome(tx, now)
			return err
		})
		if err != nil {
			return deleted, fmt.Errorf("bolt: expire: %w", err)
		}
		if deleted += n; n < putChunk {
			return deleted, nil
		}
	}
}

// expireSome deletes at most putChunk items.
func expireSome(tx *bbolt.Tx, now time.Time) (int, error) {
	bound := ttlKey(now.Unix(), nil)
	var keys [][]byte
	c := tx.Bucket(bucketTTL).Cursor()
	for k, _ := c.First(); k != nil && len(keys) < putChunk; k, _ = c.Next() {
		if len(k) < 8 {
			return 0, errCorrupt
		}
		if binary.BigEndian.Uint64(k) > binary.BigEndian.Uint64(bound) {
			break
		}
		keys = append(keys, append([]byte{}, k[8:]...))
	}
	for _, key := range keys {
		if err := store(tx, key, tx.Bucket(bucketItems).Get(key), nil); err != nil {
			return 0, err
		}
	}
	return len(keys), nil
}
