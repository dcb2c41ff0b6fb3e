package tabletest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/dynamo"
	"tidings/internal/table"
)

func key(sk string) table.Key { return table.Key{PK: "p", SK: sk} }

func with(sk string, attributes ...any) table.Item {
	it := table.Item{table.PK: "p", table.SK: sk}
	for i := 0; i < len(attributes); i += 2 {
		it[attributes[i].(string)] = attributes[i+1]
	}
	return it
}

func text(n int) string { return strings.Repeat("x", n) }

// unitSteps are writes in order, with the write units of table and index that each costs. Where quirk
// is set, DynamoDB Local is known to answer something else, and why the rule here is right.
var unitSteps = []struct {
	name         string
	table, index float64
	quirk        string
	ops          []table.Op
}{
	{"put of nothing much", 1, 0, "", []table.Op{table.Put(with("a"))}},
	{"put of 1,024 bytes", 1, 0, "", []table.Op{table.Put(with("b", "v", text(1024-7)))}},
	{"put of 1,025 bytes", 2, 0, "", []table.Op{table.Put(with("c", "v", text(1025-7)))}},
	{"put of less than was there", 2, 0, "", []table.Op{table.Put(with("c"))}},
	{"update that grows", 5, 0, "", []table.Op{table.Update(key("a"), table.Set("v", text(5000)))}},
	{"update that changes nothing", 5, 0, "", []table.Op{table.Update(key("a"), table.Set("v", text(5000)))}},
	{"update that shrinks", 5, 0, "", []table.Op{table.Update(key("a"), table.Remove("v"))}},
	{"delete of nothing", 1, 0, "", []table.Op{table.Delete(key("none"))}},
	{"delete of 1 KB", 1, 0, "", []table.Op{table.Delete(key("b"))}},
	{"into the audience", 1, 1, "", []table.Op{table.Put(with("i", "apk", "A", "ask", "1"))}},
	{"unindexed change", 1, 0, "", []table.Op{table.Update(key("i"), table.Set("v", "x"))}},
	{"put of the same", 1, 0, "", []table.Op{table.Put(with("i", "apk", "A", "ask", "1", "v", "y"))}},
	{"move within the audience", 1, 2, "", []table.Op{table.Update(key("i"), table.Set("ask", "2"))}},
	{"out of the audience", 1, 1, "", []table.Op{table.Update(key("i"), table.Remove("ask"))}},
	{"half a key", 1, 0, "", []table.Op{table.Update(key("i"), table.Set("apk", "B"))}},
	{"into both", 1, 2, "", []table.Op{table.Update(key("i"), table.Set("ask", "1"), table.Set("lpk", "L"), table.Set("lsk", "1"))}},
	{"card of 3,000 bytes", 3, 3, "", []table.Op{table.Update(key("i"), table.Set("card", []byte(text(3000))))}},
	{"same card", 3, 0, "", []table.Op{table.Update(key("i"), table.Set("card", []byte(text(3000))), table.Add("n", 1))}},
	{"smaller card", 3, 3, "", []table.Op{table.Update(key("i"), table.Set("card", []byte(text(100))))}},
	{"larger card and move", 3, 4, "", []table.Op{table.Update(key("i"), table.Set("card", []byte(text(2500))), table.Set("lsk", "2"))}},
	{"delete out of both", 3, 4, "", []table.Op{table.Delete(key("i"))}},
	{"transaction of puts", 6, 0, "", []table.Op{table.Put(with("t", "v", text(1500))), table.Put(with("u"))}},
	{"transaction with indexes", 6, 3, "", []table.Op{table.Put(with("v", "apk", "A", "ask", "1")), table.Put(with("w", "lpk", "L", "lsk", "1", "card", []byte(text(1500))))}},
	{"transaction of everything", 8, 5, "", []table.Op{table.Check(key("u"), table.Exists("pk")), table.Update(key("w"), table.Set("lsk", "2")), table.Delete(key("v"))}},
	{"transactional delete of nothing", 4, 0, "counts a fourth of a unit", []table.Op{table.Delete(key("none")), table.Delete(key("none2"))}},
	{"check", 2, 0, "", []table.Op{table.Check(key("u"), table.Exists("pk"))}},
	{"check of nothing", 2, 0, "", []table.Op{table.Check(key("none"), table.Absent("v"))}},
	{"check of 1.5 KB", 4, 0, "counts every check as of 1 KB, DynamoDB counts the item", []table.Op{table.Check(key("t"), table.Exists("v"))}},
	{"refused put", 2, 0, "", []table.Op{table.Put(with("t", "v", text(9000))).When(table.Absent("v"))}},
	{"refused transaction", 8, 0, "answers no units for refusals", []table.Op{table.Put(with("t")).When(table.Absent("v")), table.Put(with("x", "v", text(1500)))}},
}

// TestUnitRules holds the units that package bolt computes against what DynamoDB's guide says.
func TestUnitRules(t *testing.T) {
	counter := &table.Counter{Table: openBolt(t)}
	for _, s := range unitSteps {
		counter.Write(t.Context(), s.ops...) // refusals are among the steps
		got := counter.Reset()
		want := table.Use{Calls: 1, Capacity: table.Capacity{Write: s.table + s.index, Index: s.index}}
		if got.Total() != want {
			t.Errorf("%s: %+v, want %+v", s.name, got.Total(), want)
		}
		if transactional := got.Transact.Calls == 1; transactional != table.Transactional(s.ops) {
			t.Errorf("%s: counted as a transaction: %v", s.name, transactional)
		}
	}
	// An absent item costs the least unit (DynamoDB Local counts none in batches and queries).
	counter.Get(t.Context(), key("none"))
	counter.BatchGet(t.Context(), []table.Key{key("none"), key("none2")})
	counter.Query(t.Context(), table.Query{Partition: "none", Limit: 1})
	got := counter.Units()
	if got.Get.Read != 1 || got.BatchGet.Read != 2 || got.Query.Read != 0.5 {
		t.Errorf("reads of nothing: %+v", got)
	}
}

// TestUnitsOnDynamoDB compares the units that package bolt computes with those that DynamoDB Local
// answers, call by call.
func TestUnitsOnDynamoDB(t *testing.T) {
	client, name := openDynamo(t)
	model := &table.Counter{Table: openBolt(t)}
	real := &table.Counter{Table: dynamo.New(client, name)}
	same := func(what string, call func(table.Table) error) {
		t.Helper()
		errModel, errReal := call(model), call(real)
		if (errModel == nil) != (errReal == nil) {
			t.Fatalf("%s: %v, but %v", what, errModel, errReal)
		}
		got, want := model.Reset(), corrected(real.Reset(), errReal)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-DynamoDB Local +bolt):\n%s", what, d)
		}
	}
	for _, s := range unitSteps {
		call := func(tab table.Table) error {
			_, err := tab.Write(t.Context(), s.ops...)
			return err
		}
		if s.quirk == "" {
			same(s.name, call)
		} else if errModel, errReal := call(model), call(real); (errModel == nil) != (errReal == nil) {
			t.Fatalf("%s: %v, but %v", s.name, errModel, errReal)
		}
		model.Reset()
		real.Reset()
	}
	compareReads(t, same)
}

// corrected takes back what DynamoDB Local counts too often in transactions: what the table takes twice,
// and what indexes take four times, where DynamoDB doubles the table's part only. The units of refusals
// are not the emulator's.
func corrected(u table.Units, err error) table.Units {
	if err != nil {
		return u
	}
	u.Transact.Write = (u.Transact.Write-u.Transact.Index)/2 + u.Transact.Index/4
	u.Transact.Index /= 4
	return u
}

func compareReads(t *testing.T, same func(string, func(table.Table) error)) {
	var items []table.Item
	var keys []table.Key
	for i := range 60 {
		sk := fmt.Sprintf("%02d", i)
		it := table.Item{"pk": "q", "sk": sk, "v": text(100 * i), "n": int64(i), "apk": "Q", "ask": sk, "lpk": "Q", "lsk": sk, "card": []byte(text(10 * i))}
		items, keys = append(items, it), append(keys, table.KeyOf(it))
	}
	for range 2 {
		same("batch put", func(tab table.Table) error { return tab.BatchPut(t.Context(), items) })
	}
	same("batch get", func(tab table.Table) error {
		_, err := tab.BatchGet(t.Context(), keys)
		return err
	})
	for _, k := range []table.Key{keys[0], keys[41], keys[59], key("none")} {
		same("get", func(tab table.Table) error {
			_, err := tab.Get(t.Context(), k)
			return err
		})
	}
	for _, q := range []table.Query{
		{Partition: "q"}, {Partition: "q", Consistent: true}, {Index: table.Audience, Partition: "Q"}, {Index: table.List, Partition: "Q"},
		{Partition: "q", From: "40", To: "42"},
	} {
		for _, q.Limit = range []int{1, 10, 59, 60, 1000} {
			same(fmt.Sprintf("query %+v", q), func(tab table.Table) error {
				_, err := tab.Query(t.Context(), q)
				return err
			})
		}
	}
	numbers := []int64{0, 1, -1, 9, 10, 99, 100, 101, 1000, 12345, -12345, 1_700_000_000, 1 << 53, -1 << 62}
	for _, n := range numbers {
		// The size of a number shows where an item just fits into a kilobyte.
		for pad := 1024 - 20; pad <= 1024; pad++ {
			it := table.Item{"pk": "n", "sk": "s", "n": n, "v": text(pad - 8)}
			same(fmt.Sprintf("number %d beside %d bytes", n, pad-8), func(tab table.Table) error {
				_, err := tab.Write(t.Context(), table.Delete(table.KeyOf(it)))
				if err == nil {
					_, err = tab.Write(t.Context(), table.Put(it))
				}
				return err
			})
		}
	}
}
