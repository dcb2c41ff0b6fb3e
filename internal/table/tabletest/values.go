package tabletest

import (
	"strings"

	"tidings/internal/table"
)

// names are the attributes of programs' items: one of each type, one ("x") of any, two of which DynamoDB's
// expressions have to be told apart from their own words, and all that mean something to an engine.
var names = []string{"n", "s", "t", "b", "ss", "is", "x", "status", "a b", "apk", "ask", "lpk", "lsk", table.Card, table.TTL}

func (g *generator) value(k table.Key, name string) table.Value {
	switch name {
	case "n":
		return int64(g.IntN(10) - 3)
	case "s", "status":
		return one(g, "", "a", "ab", "b", "é")
	case "t":
		return g.IntN(2) == 0
	case "b", table.Card:
		return one(g, []byte{}, []byte("a"), []byte("ab"), []byte{0, 255})
	case "ss":
		return g.strings()
	case "is":
		return g.ints()
	case "apk", "lpk":
		return one(g, partitions(table.Audience)...)
	case "ask":
		return g.sortKey(table.Audience, k)
	case "lsk":
		return g.sortKey(table.List, k)
	case table.TTL:
		return int64(1 + g.IntN(3))
	}
	return g.value(k, one(g, "n", "s", "t", "b", "ss", "is"))
}

func (g *generator) strings() table.StringSet {
	all := table.StringSet{"a", "b", "ab", "é"}
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:1+g.IntN(len(all))]
}

func (g *generator) ints() table.IntSet {
	all := table.IntSet{1, 2, 10, -1}
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:1+g.IntN(len(all))]
}

// cond returns a condition of at most the given depth.
func (g *generator) cond(k table.Key, depth int) table.Cond {
	if depth > 1 && g.IntN(2) == 0 {
		if g.IntN(3) == 0 {
			return table.Not(g.cond(k, depth-1))
		}
		subs := make([]table.Cond, 1+g.IntN(3))
		for i := range subs {
			subs[i] = g.cond(k, depth-1)
		}
		return one(g, table.And, table.Or)(subs...)
	}
	name := one(g, names...)
	switch g.IntN(6) {
	case 0:
		return one(g, table.Exists, table.Absent)(one(g, table.PK, table.SK, name))
	case 1:
		return table.Contains(one(g, "s", "ss", "is", "x"), one[table.Value](g, "a", "ab", int64(1), int64(2)))
	}
	// Once in a while a value of another attribute's type.
	v := g.value(k, name)
	if g.IntN(6) == 0 {
		v = g.value(k, "x")
	}
	switch v.(type) {
	case string, int64, []byte:
		return one(g, table.Eq, table.Ne, table.Lt, table.Le, table.Gt, table.Ge)(name, v)
	}
	return one(g, table.Eq, table.Ne)(name, v)
}

// invalid returns a request that every table has to turn away, for one reason among others that are good.
func (g *generator) invalid() Step {
	k := g.key()
	bad := func(op table.Op) Step {
		ops := append(g.ops(g.IntN(3)), op)
		for i := range ops[:len(ops)-1] {
			if ops[i].Key == k {
				ops = ops[len(ops)-1:]
				break
			}
		}
		return Step{Do: DoWrite, Ops: ops, Invalid: true}
	}
	long := strings.Repeat("x", table.MaxSortKey+1)
	return one(g,
		bad(table.Put(item(k, "n", 1.5))), bad(table.Put(item(k, "ss", table.StringSet{}))), bad(table.Put(item(k, "is", table.IntSet{1, 1}))),
		bad(table.Put(item(k, "apk", ""))), bad(table.Put(item(k, "lsk", int64(1)))), bad(table.Put(item(k, table.TTL, "x"))),
		bad(table.Put(item(table.Key{PK: k.PK}))), bad(table.Update(k)), bad(table.Update(k, table.Remove(table.SK))),
		bad(table.Update(k, table.Set("n", int64(1)), table.Add("n", 1))), bad(table.Update(k, table.Set("ask", long))),
		bad(table.Update(k, table.AddToSet("ss", "a"))), bad(table.Check(k, nil)), bad(table.Delete(k).When(table.And())),
		bad(table.Delete(k).When(table.Lt("t", true))), bad(table.Put(item(k)).When(table.Eq("", "x"))),
		Step{Do: DoWrite, Ops: []table.Op{table.Delete(k), table.Put(item(k))}, Invalid: true}, Step{Do: DoWrite, Invalid: true},
		Step{Do: DoBatchPut, Items: []table.Item{item(k), item(k, "n", int64(1))}, Invalid: true},
		Step{Do: DoBatchGet, Keys: []table.Key{k, k}, Invalid: true}, Step{Do: DoGet, Keys: []table.Key{{PK: "a"}}, Invalid: true},
		Step{Do: DoWalk, Query: table.Query{Partition: k.PK}, Invalid: true},
		Step{Do: DoWalk, Query: table.Query{Partition: k.PK, From: "b", To: "a", Limit: 1}, Invalid: true},
		Step{Do: DoWalk, Query: table.Query{Index: table.List, Partition: "X", Limit: 1, Consistent: true}, Invalid: true},
	)
}
