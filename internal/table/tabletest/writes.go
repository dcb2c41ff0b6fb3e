package tabletest

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"tidings/internal/table"
)

func everything() table.Item {
	return item(key1, "s", "text ü", "empty", "", "i", int64(math.MinInt64), "j", int64(math.MaxInt64), "t", true, "f", false,
		"b", []byte{0, 1, 255}, "e", []byte{}, "ss", table.StringSet{"b", "a", "ü"}, "is", table.IntSet{10, -2, 9},
		"apk", "A", "ask", "B", "lpk", "L", "lsk", "M", "card", []byte(`{}`), "ttl", int64(1700000000))
}

func testRoundTrip(t *testing.T, tab table.Table) {
	want := everything()
	want["ss"], want["is"] = table.StringSet{"a", "b", "ü"}, table.IntSet{-2, 9, 10}
	equal(t, "put answers the item", write(t, tab, table.Put(everything())), want)
	equal(t, "get", get(t, tab, key1), want)
	equal(t, "query", query(t, tab, table.Query{Partition: "p", Limit: 1}).Items, []table.Item{want})
}

func testPutReplaces(t *testing.T, tab table.Table) {
	write(t, tab, table.Put(everything()))
	write(t, tab, table.Put(item(key1, "new", int64(1))))
	equal(t, "item", get(t, tab, key1), item(key1, "new", int64(1)))
	for _, q := range []table.Query{{Index: table.Audience, Partition: "A", Limit: 9}, {Index: table.List, Partition: "L", Limit: 9}} {
		equal(t, "index after replacement", query(t, tab, q).Items, []table.Item(nil))
	}
}

func testNoAliasing(t *testing.T, tab table.Table) {
	in := item(key1, "b", []byte("abc"), "ss", table.StringSet{"y", "x"})
	got := write(t, tab, table.Put(in))
	in["b"].([]byte)[0] = 'X'
	got["b"].([]byte)[1] = 'X'
	got["extra"] = true
	equal(t, "item", get(t, tab, key1), item(key1, "b", []byte("abc"), "ss", table.StringSet{"x", "y"}))
	equal(t, "order of the caller's set", in["ss"], table.StringSet{"y", "x"})
}

func testUpdateActions(t *testing.T, tab table.Table) {
	write(t, tab, table.Put(item(key1, "n", int64(5), "gone", "x", "kept", "old", "ss", table.StringSet{"a", "b"},
		"is", table.IntSet{1}, "whole", table.StringSet{"z"}, "set", "old")))
	got := write(t, tab, table.Update(key1,
		table.Set("set", int64(7)), table.SetIfAbsent("kept", "new"), table.SetIfAbsent("fresh", "new"),
		table.Remove("gone"), table.Remove("never"), table.Add("n", -8), table.Add("zero", 0),
		table.AddToSet("ss", table.StringSet{"c", "a"}), table.AddToSet("more", table.IntSet{3, 2}),
		table.DeleteFromSet("is", table.IntSet{2}), table.DeleteFromSet("whole", table.StringSet{"z", "y"}),
		table.DeleteFromSet("nothing", table.StringSet{"z"})))
	want := item(key1, "n", int64(-3), "zero", int64(0), "kept", "old", "fresh", "new", "set", int64(7),
		"ss", table.StringSet{"a", "b", "c"}, "is", table.IntSet{1}, "more", table.IntSet{2, 3})
	equal(t, "answer", got, want)
	equal(t, "item", get(t, tab, key1), want)
}

func testUpdateCreates(t *testing.T, tab table.Table) {
	equal(t, "answer", write(t, tab, table.Update(key1, table.Add("n", 2))), item(key1, "n", int64(2)))
	bare := table.Key{PK: "p", SK: "bare"}
	equal(t, "answer", write(t, tab, table.Update(bare, table.Remove("x"))), item(bare))
	equal(t, "item", get(t, tab, bare), item(bare))
}

func testUpdateWrongType(t *testing.T, tab table.Table) {
	want := item(key1, "s", "x", "ss", table.StringSet{"a"}, "n", int64(1))
	write(t, tab, table.Put(want))
	for _, a := range []table.Action{
		table.Add("s", 1), table.Add("ss", 1), table.AddToSet("n", table.IntSet{1}), table.AddToSet("ss", table.IntSet{1}),
		table.DeleteFromSet("s", table.StringSet{"x"}), table.DeleteFromSet("ss", table.IntSet{1}),
	} {
		_, err := tab.Write(ctx(t), table.Update(key1, table.Set("other", true), a))
		wantError(t, "update "+a.Name, err, table.ErrInvalid)
	}
	_, err := tab.Write(ctx(t), table.Update(key1, table.Set("s", strings.Repeat("x", 300<<10))), table.Delete(table.Key{PK: "q", SK: "q"}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = tab.Write(ctx(t), table.Update(key1, table.Set("more", strings.Repeat("x", 300<<10))))
	wantError(t, "update beyond 400 KB", err, table.ErrInvalid)
	want["s"] = strings.Repeat("x", 300<<10)
	equal(t, "item", get(t, tab, key1), want)
}

func testDelete(t *testing.T, tab table.Table) {
	equal(t, "answer without an item", write(t, tab, table.Delete(key1)), table.Item(nil))
	write(t, tab, table.Put(item(key1, "n", int64(1))))
	equal(t, "answer", write(t, tab, table.Delete(key1)), item(key1, "n", int64(1)))
	absent(t, tab, key1)
}

func testRefusals(t *testing.T, tab table.Table) {
	have := item(key1, "n", int64(1), "ss", table.StringSet{"a"})
	none := table.Key{PK: "p", SK: "none"}
	write(t, tab, table.Put(have))
	no := table.Eq("n", int64(2))
	for what, ops := range map[string][]table.Op{
		"put":         {table.Put(item(key1)).When(no)},
		"update":      {table.Update(key1, table.Set("n", int64(3))).When(no)},
		"delete":      {table.Delete(key1).When(no)},
		"check":       {table.Check(key1, no)},
		"transaction": {table.Put(item(none)).When(table.Absent(table.PK)), table.Check(key1, no)},
	} {
		_, err := tab.Write(ctx(t), ops...)
		got, ok := table.Refused(err, len(ops)-1)
		if !ok {
			t.Errorf("%s: error %v, want a refusal", what, err)
		}
		equal(t, what, got, have)
	}
	equal(t, "item", get(t, tab, key1), have)
	absent(t, tab, none)
	_, err := tab.Write(ctx(t), table.Update(none, table.Add("n", 1)).When(table.Exists(table.PK)))
	if got, ok := table.Refused(err, 0); !ok || got != nil {
		t.Errorf("refusal without an item: %v, %v", got, err)
	}
	absent(t, tab, none)
}

func testAtomic(t *testing.T, tab table.Table) {
	a, b, c := table.Key{PK: "a", SK: "s"}, table.Key{PK: "b", SK: "s"}, table.Key{PK: "c", SK: "s"}
	write(t, tab, table.Put(item(c, "n", int64(1))))
	_, err := tab.Write(ctx(t), table.Put(item(a)), table.Update(b, table.Add("n", 1)).When(table.Exists(table.PK)),
		table.Check(c, table.Eq("n", int64(1))), table.Delete(key1).When(table.Exists("x")))
	var refused *table.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("error %v, want a refusal", err)
	}
	equal(t, "refusals", refused.Failed, []table.Refusal{{Op: 1}, {Op: 3}})
	absent(t, tab, a)
	got := write(t, tab, table.Put(item(a)), table.Update(b, table.Add("n", 1)).When(table.Absent(table.PK)),
		table.Check(c, table.Eq("n", int64(1))), table.Delete(key1))
	equal(t, "answer of several operations", got, table.Item(nil))
	equal(t, "a", get(t, tab, a), item(a))
	equal(t, "b", get(t, tab, b), item(b, "n", int64(1)))
}

func testInvalidBeatsRefused(t *testing.T, tab table.Table) {
	write(t, tab, table.Put(item(key1, "s", "text")))
	_, err := tab.Write(ctx(t), table.Update(key1, table.Add("s", 1)).When(table.Absent("s")))
	if _, ok := table.Refused(err, 0); !ok {
		t.Errorf("a false condition keeps an operation from being carried out: %v", err)
	}
	other := table.Key{PK: "other", SK: "s"}
	_, err = tab.Write(ctx(t), table.Check(other, table.Exists(table.PK)), table.Update(key1, table.Add("s", 1)))
	wantError(t, "refused and invalid", err, table.ErrInvalid)
}

func testConcurrent(t *testing.T, tab table.Table) {
	other := table.Key{PK: "other", SK: "s"}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for range 10 {
				ops := []table.Op{table.Update(key1, table.Add("n", 1))}
				if w%2 == 1 {
					ops = append(ops, table.Update(other, table.Add("n", 1)))
				}
				if _, err := tab.Write(ctx(t), ops...); err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	wg.Wait()
	equal(t, "n", get(t, tab, key1)["n"], table.Value(int64(40)))
	equal(t, "other n", get(t, tab, other)["n"], table.Value(int64(20)))
}
