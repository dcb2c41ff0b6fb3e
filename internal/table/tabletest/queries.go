package tabletest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tidings/internal/table"
)

// fill stores n items with sort keys k00, k01 … in partition "p", and neighbours that must not show.
func fill(t *testing.T, tab table.Table, n int) {
	t.Helper()
	var items []table.Item
	for i := range n {
		k := table.Key{PK: "p", SK: fmt.Sprintf("k%02d", i)}
		items = append(items, item(k, "apk", "A", "ask", k.SK, "lpk", "L", "lsk", k.SK, "card", []byte(k.SK), "n", int64(i)))
	}
	for _, pk := range []string{"o", "pp", "q", "pk"} {
		items = append(items, item(table.Key{PK: pk, SK: "k01"}, "apk", "A"+pk, "ask", "k01", "lpk", "L"+pk, "lsk", "k01"))
	}
	if err := tab.BatchPut(ctx(t), items); err != nil {
		t.Fatal(err)
	}
}

// views are the three ways to read what fill stored.
var views = []table.Query{
	{Index: table.Main, Partition: "p"}, {Index: table.Main, Partition: "p", Consistent: true},
	{Index: table.Audience, Partition: "A"}, {Index: table.List, Partition: "L"},
}

func sortKeys(page table.Page) []string {
	var keys []string
	for _, it := range page.Items {
		keys = append(keys, it[table.SK].(string))
	}
	return keys
}

func testQueryRanges(t *testing.T, tab table.Table) {
	fill(t, tab, 10)
	for _, r := range []struct {
		from, to string
		want     []string
	}{
		{"", "", []string{"k00", "k01", "k02", "k03", "k04", "k05", "k06", "k07", "k08", "k09"}},
		{"k03", "", []string{"k03", "k04", "k05", "k06", "k07", "k08", "k09"}},
		{"", "k02", []string{"k00", "k01", "k02"}},
		{"k03", "k04", []string{"k03", "k04"}}, {"k03", "k03", []string{"k03"}}, {"k031", "k039", nil}, {"k0", "k01x", []string{"k00", "k01"}},
		{"x", "", nil}, {"", "a", nil},
	} {
		for _, q := range views {
			q.From, q.To, q.Limit = r.from, r.to, 100
			page := query(t, tab, q)
			equal(t, fmt.Sprintf("%+v", q), sortKeys(page), r.want)
			equal(t, "cursor", page.Cursor, "")
			q.Descending = true
			want := slices.Clone(r.want)
			slices.Reverse(want)
			equal(t, fmt.Sprintf("%+v", q), sortKeys(query(t, tab, q)), want)
		}
	}
	from, to := table.PrefixRange("k0")
	equal(t, "prefix", len(query(t, tab, table.Query{Partition: "p", From: from, To: to, Limit: 100}).Items), 10)
	equal(t, "absent partition", query(t, tab, table.Query{Partition: "absent", Limit: 5}), table.Page{})
}

func testQueryPages(t *testing.T, tab table.Table) {
	fill(t, tab, 10)
	for _, q := range slices.Concat(views, bounded(views, "k00", "k09")) {
		for _, limit := range []int{1, 3, 5, 9, 10, 11} {
			for _, descending := range []bool{false, true} {
				q.Limit, q.Descending, q.Cursor = limit, descending, ""
				var got []string
				for pages := 1; ; pages++ {
					page := query(t, tab, q)
					got = append(got, sortKeys(page)...)
					if len(page.Items) > limit || page.Cursor != "" && len(page.Items) < limit || pages > 10 {
						t.Fatalf("%+v: page %d of %d items", q, pages, len(page.Items))
					}
					if q.Cursor = page.Cursor; q.Cursor == "" {
						equal(t, "pages", pages, (10+limit-1)/limit)
						break
					}
				}
				if descending {
					slices.Reverse(got)
				}
				if len(got) != 10 || !slices.IsSorted(got) {
					t.Errorf("%+v: %v", q, got)
				}
			}
		}
	}
}

// bounded returns queries whose ends are items, where DynamoDB answers no key to continue from.
func bounded(queries []table.Query, from, to string) []table.Query {
	out := slices.Clone(queries)
	for i := range out {
		out[i].From, out[i].To = from, to
	}
	return out
}

func testCursors(t *testing.T, tab table.Table) {
	fill(t, tab, 6)
	for _, q := range views {
		q.From, q.To, q.Limit = "k00", "k08", 2
		q.Cursor = query(t, tab, q).Cursor
		other := map[string]func(q *table.Query){
			"partition": func(q *table.Query) { q.Partition += "p" }, "from": func(q *table.Query) { q.From = "k01" },
			"to": func(q *table.Query) { q.To = "" }, "direction": func(q *table.Query) { q.Descending = true },
			"index": func(q *table.Query) {
				q.Index, q.Consistent = map[table.Index]table.Index{table.Main: table.List, table.List: table.Audience, table.Audience: table.Main}[q.Index], false
			},
			"cut":     func(q *table.Query) { q.Cursor = q.Cursor[:len(q.Cursor)-2] },
			"garbage": func(q *table.Query) { q.Cursor = "garbage" },
			"short":   func(q *table.Query) { q.Cursor = "AAAA" },
			"padded":  func(q *table.Query) { q.Cursor += "=" },
		}
		for what, change := range other {
			changed := q
			change(&changed)
			_, err := tab.Query(ctx(t), changed)
			wantError(t, "cursor with another "+what, err, table.ErrCursor)
		}
		q.Limit = 3
		equal(t, "another limit", sortKeys(query(t, tab, q)), []string{"k02", "k03", "k04"})
	}
}

func testCursorOfDeleted(t *testing.T, tab table.Table) {
	fill(t, tab, 6)
	for _, q := range views {
		q.Limit = 3
		page := query(t, tab, q)
		q.Descending = true
		back := query(t, tab, q)
		gone := []table.Op{table.Delete(table.Key{PK: "p", SK: "k02"}), table.Delete(table.Key{PK: "p", SK: "k03"})}
		write(t, tab, gone...)
		q.Cursor = back.Cursor
		equal(t, "before a deleted item", sortKeys(query(t, tab, q)), []string{"k01", "k00"})
		q.Descending, q.Cursor = false, page.Cursor
		equal(t, "after a deleted item", sortKeys(query(t, tab, q)), []string{"k04", "k05"})
		fill(t, tab, 6)
	}
}

func testPageBytes(t *testing.T, tab table.Table) {
	const n, size = 9, 300 << 10
	for i := range n {
		write(t, tab, table.Put(item(table.Key{PK: "p", SK: fmt.Sprint(i)}, "b", []byte(strings.Repeat("x", size)))))
	}
	q := table.Query{Partition: "p", Limit: 100}
	seen := 0
	for {
		page := query(t, tab, q)
		seen += len(page.Items)
		if len(page.Items) > 4 {
			t.Errorf("page of %d items of 300 KB, want at most 4: 1 MB and what crosses it", len(page.Items))
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	equal(t, "items seen", seen, n)
	keys := make([]table.Key, n)
	for i := range keys {
		keys[i] = table.Key{PK: "p", SK: fmt.Sprint(i)}
	}
	got, err := tab.BatchGet(ctx(t), keys)
	if err != nil || len(got) != n {
		t.Errorf("batch get of 2.7 MB: %d items, %v", len(got), err)
	}
}

func testOddKeys(t *testing.T, tab table.Table) {
	keys := []string{"\x00", "\x00\x00", "\x00\x01", "\x01", "a", "a\x00", "a\x00\x01", "a\x00b", "a\x01", "ab", "é", "\u007f", "\U0010FFFF", "#", strings.Repeat("z", 1024)}
	slices.Sort(keys)
	var items []table.Item
	for _, pk := range []string{"a", "a\x00", "\x00"} {
		for _, sk := range keys {
			items = append(items, item(table.Key{PK: pk, SK: sk}, "apk", pk, "ask", sk))
		}
	}
	if err := tab.BatchPut(ctx(t), items); err != nil {
		t.Fatal(err)
	}
	for _, q := range []table.Query{{Partition: "a"}, {Partition: "a\x00"}, {Index: table.Audience, Partition: "a"}, {Index: table.Audience, Partition: "\x00"}} {
		for _, limit := range []int{1, 4, 100} {
			var got []string
			q.Limit, q.Cursor = limit, ""
			for {
				page := query(t, tab, q)
				got = append(got, sortKeys(page)...)
				if q.Cursor = page.Cursor; q.Cursor == "" {
					break
				}
			}
			equal(t, fmt.Sprintf("%+v", q), got, keys)
		}
	}
	q := table.Query{Index: table.Audience, Partition: "a", From: "a", To: "a\x00", Limit: 9}
	equal(t, "range", sortKeys(query(t, tab, q)), []string{"a", "a\x00"})
}
