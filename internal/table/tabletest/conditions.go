package tabletest

import (
	"fmt"
	"testing"

	"tidings/internal/table"
)

func testConditions(t *testing.T, tab table.Table) {
	write(t, tab, table.Put(item(key1, "s", "mno", "n", int64(5), "t", true, "b", []byte("mno"), "ss", table.StringSet{"a", "b"},
		"is", table.IntSet{2, 1})))
	yes, no := table.Eq("n", int64(5)), table.Eq("n", int64(6))
	for _, c := range []struct {
		cond table.Cond
		want bool
	}{
		{table.Exists("s"), true}, {table.Exists("x"), false}, {table.Absent("s"), false}, {table.Absent("x"), true},
		{table.Exists(table.PK), true}, {table.Eq(table.SK, "s"), true},
		{table.Eq("s", "mno"), true}, {table.Eq("s", "x"), false}, {table.Eq("s", int64(5)), false}, {table.Eq("x", "mno"), false},
		{table.Eq("t", true), true}, {table.Eq("t", false), false}, {table.Eq("b", []byte("mno")), true}, {table.Eq("b", "mno"), false},
		{table.Eq("ss", table.StringSet{"b", "a"}), true}, {table.Eq("is", table.IntSet{1, 2}), true}, {table.Eq("is", table.IntSet{1}), false},
		{table.Ne("s", "mno"), false}, {table.Ne("s", "x"), true}, {table.Ne("s", int64(5)), true}, {table.Ne("x", "mno"), true},
		{table.Ne("ss", table.StringSet{"b", "a"}), false},
		{table.Lt("s", "n"), true}, {table.Lt("s", "mno"), false}, {table.Lt("x", "n"), false}, {table.Lt("s", int64(9)), false},
		{table.Le("n", int64(5)), true}, {table.Le("n", int64(4)), false}, {table.Gt("n", int64(-6)), true}, {table.Gt("n", int64(5)), false},
		{table.Ge("n", int64(5)), true}, {table.Ge("b", []byte("mnp")), false}, {table.Gt("b", []byte("mn")), true}, {table.Gt("n", int64(40)), false},
		{table.Lt("t", "x"), false}, {table.Lt("ss", "x"), false},
		{table.Contains("ss", "a"), true}, {table.Contains("ss", "ab"), false}, {table.Contains("is", int64(2)), true}, {table.Contains("is", int64(3)), false},
		{table.Contains("s", "no"), true}, {table.Contains("s", "on"), false}, {table.Contains("ss", int64(1)), false}, {table.Contains("s", int64(1)), false},
		{table.Contains("x", "a"), false}, {table.Contains("n", int64(5)), false},
		{table.And(yes), true}, {table.And(yes, yes, no), false}, {table.And(yes, yes, yes), true}, {table.Or(no), false}, {table.Or(no, no, yes), true},
		{table.Not(yes), false}, {table.Not(table.Or(no, table.And(yes, no))), true}, {table.Not(table.Lt("x", "n")), true},
	} {
		holds(t, tab, key1, c.cond, c.want)
	}
	none := table.Key{PK: "p", SK: "none"}
	holds(t, tab, none, table.Absent(table.PK), true)
	holds(t, tab, none, table.Exists(table.PK), false)
	holds(t, tab, none, table.Ne("n", int64(5)), true)
	holds(t, tab, none, table.Eq(table.SK, "none"), false)
}

// holds tests a condition on its own and joined to a deletion of something else.
func holds(t *testing.T, tab table.Table, k table.Key, c table.Cond, want bool) {
	t.Helper()
	_, err := tab.Write(ctx(t), table.Check(k, c))
	if _, refused := table.Refused(err, 0); refused == want || err != nil && !refused {
		t.Errorf("check of %s: %v, want it to hold: %v", condString(c), err, want)
	}
	_, err = tab.Write(ctx(t), table.Delete(table.Key{PK: "elsewhere", SK: "s"}), table.Check(k, c))
	if _, refused := table.Refused(err, 1); refused == want || err != nil && !refused {
		t.Errorf("check of %s in a transaction: %v, want it to hold: %v", condString(c), err, want)
	}
}

func condString(c table.Cond) string { return fmt.Sprintf("%+v", c) }
