package tabletest

import (
	"context"
	"testing"

	"tidings/internal/table"
)

func testCancelled(t *testing.T, tab table.Table) {
	dead, cancel := context.WithCancel(ctx(t))
	cancel()
	_, err := tab.Get(dead, key1)
	wantError(t, "get", err, context.Canceled)
	_, err = tab.BatchGet(dead, []table.Key{key1})
	wantError(t, "batch get", err, context.Canceled)
	_, err = tab.Query(dead, table.Query{Partition: "p", Limit: 1})
	wantError(t, "query", err, context.Canceled)
	_, err = tab.Write(dead, table.Put(item(key1)))
	wantError(t, "write", err, context.Canceled)
	_, err = tab.Write(dead, table.Put(item(key1)), table.Delete(table.Key{PK: "q", SK: "q"}))
	wantError(t, "transaction", err, context.Canceled)
	wantError(t, "batch put", tab.BatchPut(dead, []table.Item{item(key1)}), context.Canceled)
	absent(t, tab, key1)
}
