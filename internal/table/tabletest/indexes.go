package tabletest

import (
	"strings"
	"testing"

	"tidings/internal/table"
)

func testSparse(t *testing.T, tab table.Table) {
	in := func(want ...string) {
		t.Helper()
		equal(t, "audience", sortKeys(query(t, tab, table.Query{Index: table.Audience, Partition: "A", Limit: 9})), want)
	}
	write(t, tab, table.Put(item(key1, "apk", "A")))
	in()
	write(t, tab, table.Update(key1, table.Set("ask", "1")))
	in("s")
	second := table.Key{PK: "p", SK: "second"}
	write(t, tab, table.Put(item(second, "apk", "A", "ask", "0")), table.Update(key1, table.Set("n", int64(1))))
	in("second", "s")
	write(t, tab, table.Update(second, table.Set("ask", "2")))
	in("s", "second")
	write(t, tab, table.Update(key1, table.Remove("apk")), table.Check(second, table.Exists("apk")))
	in("second")
	write(t, tab, table.Update(key1, table.SetIfAbsent("apk", "A")))
	in("s", "second")
	write(t, tab, table.Update(key1, table.Set("apk", "other")))
	in("second")
	write(t, tab, table.Delete(second))
	in()
	equal(t, "moved", len(query(t, tab, table.Query{Index: table.Audience, Partition: "other", Limit: 9}).Items), 1)
}

func testProjections(t *testing.T, tab table.Table) {
	write(t, tab, table.Put(everything()))
	equal(t, "audience", query(t, tab, table.Query{Index: table.Audience, Partition: "A", Limit: 9}).Items,
		[]table.Item{item(key1, "apk", "A", "ask", "B")})
	list := table.Query{Index: table.List, Partition: "L", Limit: 9}
	equal(t, "list", query(t, tab, list).Items, []table.Item{item(key1, "lpk", "L", "lsk", "M", "card", []byte(`{}`))})
	write(t, tab, table.Update(key1, table.Set("card", []byte{})))
	equal(t, "empty card", query(t, tab, list).Items, []table.Item{item(key1, "lpk", "L", "lsk", "M", "card", []byte{})})
	write(t, tab, table.Update(key1, table.Remove("card")))
	equal(t, "no card", query(t, tab, list).Items, []table.Item{item(key1, "lpk", "L", "lsk", "M")})
}

func testBatches(t *testing.T, tab table.Table) {
	fill(t, tab, 60)
	fill(t, tab, 60)
	keys := []table.Key{{PK: "p", SK: "k00"}, {PK: "p", SK: "absent"}, {PK: "p", SK: "k59"}, {PK: "q", SK: "k01"}}
	got, err := tab.BatchGet(ctx(t), keys)
	if err != nil {
		t.Fatal(err)
	}
	want := map[table.Key]table.Item{}
	for _, k := range []table.Key{keys[0], keys[2], keys[3]} {
		want[k] = get(t, tab, k)
	}
	equal(t, "batch get", got, want)
	got, err = tab.BatchGet(ctx(t), nil)
	equal(t, "no keys", got, map[table.Key]table.Item{})
	equal(t, "no keys", err, error(nil))
	equal(t, "no items", tab.BatchPut(ctx(t), nil), error(nil))
}

func testInvalid(t *testing.T, tab table.Table) {
	ok := table.Put(item(key1))
	big := strings.Repeat("x", 1025)
	many := make([]table.Op, 101)
	for i := range many {
		many[i] = table.Delete(table.Key{PK: "p", SK: strings.Repeat("x", i+1)})
	}
	for what, ops := range map[string][]table.Op{
		"nothing": {}, "101": many, "same key twice": {ok, table.Delete(key1)}, "zero": {{}},
		"no sort key": {table.Put(table.Item{"pk": "x"})}, "empty key": {table.Delete(table.Key{PK: "p"})}, "long sort key": {table.Delete(table.Key{PK: "p", SK: big})},
		"number as key": {table.Put(table.Item{"pk": "x", "sk": int64(1)})}, "other key": {{Kind: table.OpPut, Key: key1, Item: item(table.Key{PK: "x", SK: "y"})}},
		"int": {table.Put(item(key1, "n", 1))}, "nil": {table.Put(item(key1, "n", nil))}, "empty set": {table.Put(item(key1, "n", table.IntSet{}))},
		"double": {table.Put(item(key1, "n", table.StringSet{"a", "a"}))}, "no UTF-8": {table.Put(item(key1, "n", "\xff"))}, "no name": {table.Put(item(key1, "", "x"))},
		"path": {table.Put(item(key1, "a.b", "x"))}, "empty index key": {table.Put(item(key1, "apk", ""))}, "number as index key": {table.Put(item(key1, "lsk", int64(1)))},
		"long index key": {table.Put(item(key1, "ask", big))}, "text as ttl": {table.Put(item(key1, "ttl", "x"))}, "text as card": {table.Put(item(key1, "card", "x"))},
		"400 KB": {table.Put(item(key1, "b", []byte(strings.Repeat("x", 400<<10))))}, "no actions": {table.Update(key1)}, "key changed": {table.Update(key1, table.Set("sk", "x"))},
		"two actions": {table.Update(key1, table.Set("a", "x"), table.Remove("a"))}, "unknown action": {table.Update(key1, table.Action{Name: "a"})},
		"index key emptied": {table.Update(key1, table.Set("lpk", ""))}, "number to index key": {table.Update(key1, table.Add("lpk", 1))},
		"set action with text": {table.Update(key1, table.AddToSet("a", "x"))}, "empty set action": {table.Update(key1, table.DeleteFromSet("a", table.StringSet{}))},
		"no condition": {table.Check(key1, nil)}, "empty or": {ok.When(table.Or())}, "order of bools": {ok.When(table.Lt("a", true))}, "contains bool": {ok.When(table.Contains("a", true))},
		"unknown comparison": {ok.When(table.CompareCond{Name: "a", Op: "~", Value: "x"})}, "no operand": {ok.When(table.Eq("a", nil))}, "condition without name": {ok.When(table.Exists(""))},
	} {
		_, err := tab.Write(ctx(t), ops...)
		wantError(t, what, err, table.ErrInvalid)
	}
	absent(t, tab, key1)
	_, err := tab.Get(ctx(t), table.Key{SK: "s"})
	wantError(t, "get", err, table.ErrInvalid)
	_, err = tab.BatchGet(ctx(t), []table.Key{key1, key1})
	wantError(t, "batch get", err, table.ErrInvalid)
	wantError(t, "batch put", tab.BatchPut(ctx(t), []table.Item{item(key1), item(key1)}), table.ErrInvalid)
	for _, q := range []table.Query{
		{Limit: 1}, {Partition: "p"}, {Partition: "p", Limit: 1001}, {Partition: "p", Limit: -1}, {Partition: "p", Limit: 1, Index: "other"},
		{Partition: "p", Limit: 1, Index: table.List, Consistent: true}, {Partition: "p", Limit: 1, From: "b", To: "a"}, {Partition: "p", Limit: 1, From: big},
	} {
		_, err := tab.Query(ctx(t), q)
		wantError(t, "query", err, table.ErrInvalid)
	}
}
