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
			var size int
			page, size, err = readPage(tx, q, lo, hi)
			table.Report(ctx, table.QueryUnits(size, q.Consistent))
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

// readPage also returns the bytes read. As DynamoDB, which is asked for one item more than the limit,
// it reads the item that makes the cursor.
func readPage(tx *bbolt.Tx, q table.Query, lo, hi []byte) (page table.Page, size int, err error) {
	if bytes.Compare(lo, hi) >= 0 {
		return page, 0, nil // a cursor at the very end of the range
	}
	bucket := bucketItems
	if q.Index != table.Main {
		bucket = []byte(q.Index)
	}
	c := tx.Bucket(bucket).Cursor()
	k, v := first(c, q.Descending, lo, hi)
	var at table.Position
	for ; k != nil && bytes.Compare(k, lo) >= 0 && bytes.Compare(k, hi) < 0; k, v = next(c, q.Descending) {
		if size >= pageBytes {
			page.Cursor = table.EncodeCursor(q, at)
			break
		}
		item, sort, err := readEntry(q.Index, k, v)
		if err != nil {
			return table.Page{}, 0, err
		}
		size += table.Size(item)
		if len(page.Items) == q.Limit {
			page.Cursor = table.EncodeCursor(q, at)
			break
		}
		page.Items = append(page.Items, item)
		at = table.Position{Key: table.KeyOf(item), Sort: sort}
	}
	return page, size, nil
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
