package tabletest

import (
	"fmt"
	"math/rand/v2"

	"tidings/internal/table"
)

// Do says what a Step does.
type Do string

// The kinds of steps.
const (
	DoGet      Do = "get"
	DoBatchGet Do = "batch get"
	DoWrite    Do = "write"
	DoBatchPut Do = "batch put"
	DoQuery    Do = "query"    // one page, whose cursor goes into the slot
	DoContinue Do = "continue" // the next page of the query in the slot
	DoWalk     Do = "walk"     // all pages
	DoContents Do = "contents" // everything, in table and indexes
)

// A Step is one call of a program, or several that belong together.
type Step struct {
	Do      Do
	Keys    []table.Key
	Ops     []table.Op
	Items   []table.Item
	Query   table.Query
	Slot    int
	Invalid bool // must be answered ErrInvalid
}

const (
	slots    = 4
	maxPages = 200
	// contentsEvery is how many steps lie between two looks at everything.
	contentsEvery = 250
	batchSize     = 30 // more than the 25 items of a BatchWriteItem
)

// The key space is small, so that operations meet each other.
var (
	pks = []string{"a", "b", "a#", "c"}
	sks = []string{"1", "10", "2", "3", "k", "k#1", "k#2", "x\x00", "é", "z"}
)

func keySpace() []table.Key {
	var keys []table.Key
	for _, pk := range pks {
		for _, sk := range sks {
			keys = append(keys, table.Key{PK: pk, SK: sk})
		}
	}
	return keys
}

func partitions(index table.Index) []string {
	if index == table.Main {
		return pks
	}
	return []string{"X", "Y", "Z"}
}

// Program returns the random program of a seed, which ends with a look at everything.
func Program(seed uint64, steps int) []Step {
	g := &generator{rand.New(rand.NewPCG(seed, 0))}
	program := make([]Step, 0, steps+1)
	for i := range steps {
		if i%contentsEvery == contentsEvery-1 {
			program = append(program, Step{Do: DoContents})
			continue
		}
		program = append(program, g.step())
	}
	return append(program, Step{Do: DoContents})
}

type generator struct{ *rand.Rand }

func one[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

func (g *generator) key() table.Key { return table.Key{PK: one(g, pks...), SK: one(g, sks...)} }

// keys returns n distinct keys.
func (g *generator) keys(n int) []table.Key {
	all := keySpace()
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:n]
}

func (g *generator) step() Step {
	switch n := g.IntN(100); {
	case n < 8:
		return Step{Do: DoGet, Keys: g.keys(1)}
	case n < 12:
		return Step{Do: DoBatchGet, Keys: g.keys(g.IntN(20))}
	case n < 45:
		return Step{Do: DoWrite, Ops: g.ops(1)}
	case n < 65:
		return Step{Do: DoWrite, Ops: g.ops(1 + g.IntN(8))}
	case n < 68:
		return Step{Do: DoBatchPut, Items: g.items(g.IntN(batchSize + 1))}
	case n < 80:
		return Step{Do: DoQuery, Slot: 1 + g.IntN(slots-1), Query: g.query(table.Main, table.Audience)}
	case n < 90:
		return g.resume()
	case n < 95:
		return Step{Do: DoWalk, Query: g.query(table.Main, table.Audience, table.List)}
	case n < 97:
		// What a cursor within items of one sort key leads to is open: such a page is never continued.
		return Step{Do: DoQuery, Slot: 0, Query: g.query(table.List)}
	}
	return g.invalid()
}

func (g *generator) resume() Step {
	s := Step{Do: DoContinue, Slot: 1 + g.IntN(slots-1), Query: table.Query{Limit: 1 + g.IntN(9)}}
	if g.IntN(10) == 0 {
		s.Query.From, s.Query.To = "!", "~" // bounds that no query has: not its cursor
	}
	return s
}

func (g *generator) query(indexes ...table.Index) table.Query {
	q := table.Query{Index: one(g, indexes...), Limit: 1 + g.IntN(12), Descending: g.IntN(2) == 0}
	q.Partition = one(g, append(partitions(q.Index), "none")...)
	q.Consistent = q.Index == table.Main && g.IntN(2) == 0
	if g.IntN(3) > 0 {
		bounds := append([]string{"", "0", "11", "k#", "k#1 b/2", "é", "zz"}, sks...)
		q.From, q.To = one(g, bounds...), one(g, bounds...)
		if q.To != "" && q.From > q.To {
			q.From, q.To = q.To, q.From
		}
	}
	return q
}

func (g *generator) items(n int) []table.Item {
	items := make([]table.Item, n)
	for i, k := range g.keys(n) {
		items[i] = g.item(k)
	}
	return items
}

func (g *generator) ops(n int) []table.Op {
	ops := make([]table.Op, n)
	for i, k := range g.keys(n) {
		ops[i] = g.op(k)
	}
	return ops
}

func (g *generator) op(k table.Key) table.Op {
	var op table.Op
	switch n := g.IntN(10); {
	case n < 3:
		op = table.Put(g.item(k))
	case n < 7:
		op = table.Update(k, g.actions(k)...)
	case n < 9:
		op = table.Delete(k)
	default:
		return table.Check(k, g.cond(k, 3))
	}
	if g.IntN(2) == 0 {
		op = op.When(g.cond(k, 3))
	}
	return op
}

// item gives an item about half of the attributes that programs use.
func (g *generator) item(k table.Key) table.Item {
	it := item(k)
	for _, name := range names {
		if g.IntN(2) == 0 {
			it[name] = g.value(k, name)
		}
	}
	return it
}

func (g *generator) actions(k table.Key) []table.Action {
	var actions []table.Action
	for _, i := range g.Perm(len(names))[:1+g.IntN(5)] {
		actions = append(actions, g.action(k, names[i]))
	}
	return actions
}

func (g *generator) action(k table.Key, name string) table.Action {
	v := g.value(k, name)
	if g.IntN(3) > 0 {
		switch v := v.(type) {
		case int64:
			if name != table.TTL || g.IntN(2) == 0 {
				return table.Add(name, v)
			}
		case table.StringSet, table.IntSet:
			return one(g, table.AddToSet, table.DeleteFromSet)(name, v)
		}
	}
	switch g.IntN(4) {
	case 0:
		return table.Remove(name)
	case 1:
		return table.SetIfAbsent(name, v)
	}
	return table.Set(name, v)
}

// sortKey returns sort keys of an index: in Audience an item's own, in List few that items share.
func (g *generator) sortKey(index table.Index, k table.Key) string {
	s := one(g, sks...)
	if index == table.Audience {
		s = fmt.Sprintf("%s %s/%s", s, k.PK, k.SK)
	}
	return s
}
