package bolt

import (
	"bytes"
	"context"
	"fmt"

	bbolt "go.etcd.io/bbolt"

	"tidings/internal/table"
)

// pageBytes ends a page, as in DynamoDB: "a single Query returns at most 1 MB".
const pageBytes = 1 << 20

// Query implements table.Table.
func (s *Store) Query(ctx context.Context, q table.Query) (table.Page, error) {
	var page table.Page
	err := table.CheckQuery(q)
	if err == nil {
		err = ctx.Err()
	}
	var lo, hi []byte
	if err == nil {
		lo, hi, err = span(q)
	}
	if err == nil {
		err = s.db.View(func(tx *bbolt.Tx) error {
			page, err = readPage(tx, q, lo, hi)
			return err
		})
	}
	if err != nil {
		return table.Page{}, fmt.Errorf("bolt: query %s of %s: %w", indexName(q.Index), q.Partition, err)
	}
	return page, nil
}

func indexName(i table.Index) string {
	if i == table.Main {
		return "table"
	}
	return string(i)
}

func readPage(tx *bbolt.Tx, q table.Query, lo, hi []byte) (table.Page, error) {
	var page table.Page
	if bytes.Compare(lo, hi) >= 0 {
		return page, nil // a cursor at the very end of the range
	}
	bucket := bucketItems
	if q.Index != table.Main {
		bucket = []byte(q.Index)
	}
	c := tx.Bucket(bucket).Cursor()
	k, v := first(c, q.Descending, lo, hi)
	size := 0
	var at table.Position
	for ; k != nil && bytes.Compare(k, lo) >= 0 && bytes.Compare(k, hi) < 0; k, v = next(c, q.Descending) {
		if len(page.Items) == q.Limit || size >= pageBytes {
			page.Cursor = table.EncodeCursor(q, at)
			break
		}
		item, sort, err := readEntry(q.Index, k, v)
		if err != nil {
			return table.Page{}, err
		}
		page.Items = append(page.Items, item)
		size += table.Size(item)
		at = table.Position{Key: table.KeyOf(item), Sort: sort}
	}
	return page, nil
}

func readEntry(index table.Index, k, v []byte) (item table.Item, sort string, err error) {
	if index != table.Main {
		return indexItem(index, k, v)
	}
	key, err := splitMainKey(k)
	if err != nil {
		return nil, "", err
	}
	item, err = decodeItem(key, v)
	return item, key.SK, err
}

func first(c *bbolt.Cursor, descending bool, lo, hi []byte) (k, v []byte) {
	if !descending {
		return c.Seek(lo)
	}
	if k, _ = c.Seek(hi); k == nil {
		return c.Last()
	}
	return c.Prev()
}

func next(c *bbolt.Cursor, descending bool) (k, v []byte) {
	if descending {
		return c.Prev()
	}
	return c.Next()
}
