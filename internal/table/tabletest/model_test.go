package tabletest_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tidings/internal/table"
)

// A model is the plainest table there can be, a map of items that every call walks through: what package
// bolt is compared with where there is no DynamoDB Local. It shares the port's checks of requests with the
// engines and nothing else. One goroutine at a time.
type model struct{ items map[table.Key]table.Item }

func newModel() *model { return &model{map[table.Key]table.Item{}} }

func (m *model) Get(_ context.Context, key table.Key) (table.Item, error) {
	if err := table.CheckKey(key); err != nil {
		return nil, err
	}
	if it, ok := m.items[key]; ok {
		return table.Clone(it), nil
	}
	return nil, table.ErrNotFound
}

func (m *model) BatchGet(_ context.Context, keys []table.Key) (map[table.Key]table.Item, error) {
	if err := table.CheckKeys(keys); err != nil {
		return nil, err
	}
	found := map[table.Key]table.Item{}
	for _, k := range keys {
		if it, ok := m.items[k]; ok {
			found[k] = table.Clone(it)
		}
	}
	return found, nil
}

func (m *model) BatchPut(_ context.Context, items []table.Item) error {
	if err := table.CheckItems(items); err != nil {
		return err
	}
	for _, it := range items {
		m.items[table.KeyOf(it)] = table.Clone(it)
	}
	return nil
}

func (m *model) Write(_ context.Context, ops ...table.Op) (answer table.Item, err error) {
	if err := table.CheckWrite(ops); err != nil {
		return nil, err
	}
	after := maps.Clone(m.items)
	refused := &table.RefusedError{}
	for i, op := range ops {
		old := m.items[op.Key]
		if op.If != nil && !m.true(op.If, old) {
			refused.Failed = append(refused.Failed, table.Refusal{Op: i, Item: table.Clone(old)})
			continue
		}
		switch op.Kind {
		case table.OpPut:
			answer = table.Clone(op.Item)
			after[op.Key] = answer
		case table.OpUpdate:
			if answer, err = m.updated(op, old); err != nil {
				return nil, err
			}
			after[op.Key] = answer
		case table.OpDelete:
			answer = old
			delete(after, op.Key)
		}
	}
	if len(refused.Failed) > 0 {
		return nil, refused
	}
	m.items = after
	if len(ops) > 1 {
		return nil, nil
	}
	return table.Clone(answer), nil
}

func (m *model) updated(op table.Op, old table.Item) (table.Item, error) {
	it := table.Clone(old)
	if it == nil {
		it = table.Item{table.PK: op.Key.PK, table.SK: op.Key.SK}
	}
	for _, a := range op.Actions {
		have, ok := it[a.Name]
		switch a.Kind {
		case table.ActSet:
			it[a.Name] = table.CloneValue(a.Value)
		case table.ActSetIfAbsent:
			if !ok {
				it[a.Name] = table.CloneValue(a.Value)
			}
		case table.ActRemove:
			delete(it, a.Name)
		case table.ActAdd:
			n, isNumber := have.(int64)
			if ok && !isNumber {
				return nil, table.ErrInvalid
			}
			it[a.Name] = n + a.Value.(int64)
		default:
			if ok && fmt.Sprintf("%T", have) != fmt.Sprintf("%T", a.Value) {
				return nil, table.ErrInvalid
			}
			if v := changedSet(have, a.Value, a.Kind == table.ActAddToSet); v != nil {
				it[a.Name] = v
			} else {
				delete(it, a.Name)
			}
		}
	}
	return it, nil
}

func changedSet(have, change table.Value, add bool) table.Value {
	switch change := change.(type) {
	case table.StringSet:
		old, _ := have.(table.StringSet)
		if set := elements(old, change, add); len(set) > 0 {
			return table.StringSet(set)
		}
	case table.IntSet:
		old, _ := have.(table.IntSet)
		if set := elements(old, change, add); len(set) > 0 {
			return table.IntSet(set)
		}
	}
	return nil
}

func elements[T cmp.Ordered](old, change []T, add bool) []T {
	in := map[T]bool{}
	for _, e := range old {
		in[e] = true
	}
	for _, e := range change {
		if in[e] = true; !add {
			delete(in, e)
		}
	}
	return slices.Sorted(maps.Keys(in))
}

func (m *model) true(c table.Cond, it table.Item) bool {
	switch c := c.(type) {
	case table.ExistsCond:
		return (it[c.Name] == nil) == c.Not
	case table.ContainsCond:
		switch have := it[c.Name].(type) {
		case string:
			want, ok := c.Value.(string)
			return ok && strings.Contains(have, want)
		case table.StringSet:
			return slices.ContainsFunc(have, func(e string) bool { return c.Value == e })
		case table.IntSet:
			return slices.ContainsFunc(have, func(e int64) bool { return c.Value == e })
		}
		return false
	case table.BoolCond:
		yes := 0
		for _, sub := range c.Conds {
			if m.true(sub, it) {
				yes++
			}
		}
		return map[string]bool{"and": yes == len(c.Conds), "or": yes > 0, "not": yes == 0}[c.Op]
	}
	return compared(c.(table.CompareCond), it)
}

// compared compares by what fmt makes of values: it sorts numbers apart, and equal values read alike.
func compared(c table.CompareCond, it table.Item) bool {
	have := it[c.Name]
	equal := fmt.Sprintf("%#v", table.CloneValue(have)) == fmt.Sprintf("%#v", table.CloneValue(c.Value))
	switch {
	case c.Op == table.OpEq:
		return equal
	case c.Op == table.OpNe:
		return !equal
	case fmt.Sprintf("%T", have) != fmt.Sprintf("%T", c.Value):
		return false
	}
	n := 0
	switch have := have.(type) {
	case int64:
		n = cmp.Compare(have, c.Value.(int64))
	case string:
		n = cmp.Compare(have, c.Value.(string))
	case []byte:
		n = cmp.Compare(string(have), string(c.Value.([]byte)))
	}
	return map[table.CompareOp]bool{"<": n < 0, "<=": n <= 0, ">": n > 0, ">=": n >= 0}[c.Op]
}

// A modelCursor is the query that it belongs to and the last item's place.
type modelCursor struct {
	Query     string
	Sort      string
	PK, SK    string
	Something bool
}

func (m *model) Query(_ context.Context, q table.Query) (page table.Page, err error) {
	if err := table.CheckQuery(q); err != nil {
		return page, err
	}
	limit, cursor := q.Limit, q.Cursor
	q.Limit, q.Cursor, q.Consistent = 0, "", false
	self := modelCursor{Query: fmt.Sprintf("%+v", q), Something: true}
	var after modelCursor
	if cursor != "" {
		if json.Unmarshal([]byte(cursor), &after) != nil || after.Query != self.Query {
			return page, table.ErrCursor
		}
	}
	partition, sort := q.Index.Keys()
	var all []table.Item
	for _, it := range m.items {
		s, inside := it[sort].(string)
		if inside && it[partition] == q.Partition && s >= q.From && (q.To == "" || s <= q.To) {
			all = append(all, shown(q.Index, it))
		}
	}
	order := func(a, b table.Item) int {
		n := cmp.Or(cmp.Compare(a[sort].(string), b[sort].(string)), cmp.Compare(a[table.PK].(string), b[table.PK].(string)),
			cmp.Compare(a[table.SK].(string), b[table.SK].(string)))
		if q.Descending {
			return -n
		}
		return n
	}
	slices.SortFunc(all, order)
	for _, it := range all {
		if after.Something && order(it, table.Item{table.PK: after.PK, table.SK: after.SK, sort: after.Sort}) <= 0 {
			continue
		}
		if len(page.Items) == limit {
			last := page.Items[limit-1]
			self.Sort, self.PK, self.SK = last[sort].(string), last[table.PK].(string), last[table.SK].(string)
			b, err := json.Marshal(self)
			page.Cursor = string(b)
			return page, err
		}
		page.Items = append(page.Items, it)
	}
	return page, nil
}

// shown is what a query shows of an item.
func shown(index table.Index, it table.Item) table.Item {
	if index == table.Main {
		return table.Clone(it)
	}
	partition, sort := index.Keys()
	out := table.Item{table.PK: it[table.PK], table.SK: it[table.SK], partition: it[partition], sort: it[sort]}
	if index == table.List && it[table.Card] != nil {
		out[table.Card] = it[table.Card]
	}
	return out
}
