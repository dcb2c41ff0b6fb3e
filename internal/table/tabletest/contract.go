// Package tabletest says what every engine behind table.Table must do, so that a store that works on
// one works on the others: a suite of contract tests, and a differential test that drives two engines
// with the same random programs and demands the same answers.
package tabletest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/table"
)

// Run runs the contract tests. open returns an empty table, which it closes with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) table.Table) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, tab table.Table)
	}{
		{"round trip of every type", testRoundTrip},
		{"put replaces", testPutReplaces},
		{"answers share nothing", testNoAliasing},
		{"update actions", testUpdateActions},
		{"update creates", testUpdateCreates},
		{"update of a wrong type", testUpdateWrongType},
		{"delete answers the old item", testDelete},
		{"conditions", testConditions},
		{"refusals show the items met", testRefusals},
		{"all or nothing", testAtomic},
		{"invalid beats refused", testInvalidBeatsRefused},
		{"batches", testBatches},
		{"invalid requests", testInvalid},
		{"cancelled context", testCancelled},
		{"query ranges", testQueryRanges},
		{"query pages", testQueryPages},
		{"cursors are bound to their query", testCursors},
		{"cursor of a deleted item", testCursorOfDeleted},
		{"pages of bytes", testPageBytes},
		{"sparse indexes", testSparse},
		{"index projections", testProjections},
		{"keys of any bytes", testOddKeys},
		{"concurrent increments", testConcurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func ctx(t *testing.T) context.Context { return t.Context() }

var key1 = table.Key{PK: "p", SK: "s"}

// item returns an item under a key with attributes given as name, value, name, value …
func item(k table.Key, attributes ...any) table.Item {
	it := table.Item{table.PK: k.PK, table.SK: k.SK}
	for i := 0; i < len(attributes); i += 2 {
		it[attributes[i].(string)] = attributes[i+1]
	}
	return it
}

func write(t *testing.T, tab table.Table, ops ...table.Op) table.Item {
	t.Helper()
	got, err := tab.Write(ctx(t), ops...)
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	return got
}

func get(t *testing.T, tab table.Table, k table.Key) table.Item {
	t.Helper()
	got, err := tab.Get(ctx(t), k)
	if err != nil {
		t.Fatalf("get %v: %v", k, err)
	}
	return got
}

func query(t *testing.T, tab table.Table, q table.Query) table.Page {
	t.Helper()
	page, err := tab.Query(ctx(t), q)
	if err != nil {
		t.Fatalf("query %+v: %v", q, err)
	}
	return page
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func absent(t *testing.T, tab table.Table, k table.Key) {
	t.Helper()
	_, err := tab.Get(ctx(t), k)
	wantError(t, "get of an absent item", err, table.ErrNotFound)
}
