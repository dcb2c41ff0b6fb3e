package tabletest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"tidings/internal/dynamo"
	"tidings/internal/table"
	"tidings/internal/table/tabletest"
)

// The seed of a failure replays it: go test ./internal/table/tabletest -run Differential -seed 7.
var seedFlag = flag.Uint64("seed", 0, "run the differential test with this seed only")

// steps are the operations of one random program.
const steps = 5000

func seeds(n int) []uint64 {
	if *seedFlag != 0 {
		return []uint64{*seedFlag}
	}
	all := make([]uint64, n)
	for i := range all {
		all[i] = uint64(i + 1)
	}
	return all
}

func TestDifferentialBoltModel(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			tabletest.Differential(t, seed, steps, openBolt, func(*testing.T) table.Table { return newModel() })
		})
	}
}

func TestDifferentialBoltDynamoDB(t *testing.T) {
	client, name := openDynamo(t)
	for _, seed := range seeds(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			opened := 0
			tabletest.Differential(t, seed, steps, openBolt, func(t *testing.T) table.Table {
				opened++
				fresh := fmt.Sprintf("%s-%d-%d", name, seed, opened)
				if err := dynamo.Create(t.Context(), client, fresh); err != nil {
					t.Fatal(err)
				}
				return dynamo.New(client, fresh)
			})
		})
	}
}

// A broken table breaks one rule of the port.
type broken struct {
	table.Table
	query func(table.Query, table.Page) table.Page
	write func(context.Context, table.Table, []table.Op) (table.Item, error)
}

func (b broken) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := b.Table.Query(ctx, q)
	if err == nil && b.query != nil {
		page = b.query(q, page)
	}
	return page, err
}

func (b broken) Write(ctx context.Context, ops ...table.Op) (table.Item, error) {
	if b.write != nil {
		return b.write(ctx, b.Table, ops)
	}
	return b.Table.Write(ctx, ops...)
}

// TestDifferentialFinds plants mistakes that engines could make, and demands that the random programs find
// them and shrink to what a person sees through.
func TestDifferentialFinds(t *testing.T) {
	t.Parallel()
	for _, bug := range []struct {
		name  string
		steps int // at most so many are left
		want  string
		make  func(table.Table) table.Table
	}{
		{"pages backwards begin one too late", 3, "Descending", func(tab table.Table) table.Table {
			return broken{Table: tab, query: func(q table.Query, p table.Page) table.Page {
				if q.Descending && q.Cursor != "" && len(p.Items) > 1 {
					p.Items = p.Items[1:]
				}
				return p
			}}
		}},
		{"the upper bound is exclusive", 2, "To:", func(tab table.Table) table.Table {
			return broken{Table: tab, query: func(q table.Query, p table.Page) table.Page {
				_, sort := q.Index.Keys()
				if n := len(p.Items); !q.Descending && n > 0 && p.Items[n-1][sort] == q.To {
					p.Items = p.Items[:n-1]
				}
				return p
			}}
		}},
		{"an absent attribute is not unequal", 1, "Ne(", func(tab table.Table) table.Table {
			return broken{Table: tab, write: func(ctx context.Context, tab table.Table, ops []table.Op) (table.Item, error) {
				return tab.Write(ctx, mapConds(ops, func(c table.CompareCond) table.Cond {
					if c.Op == table.OpNe {
						return table.And(table.Exists(c.Name), c)
					}
					return c
				})...)
			}}
		}},
		{"a refused transaction leaves its first operation behind", 2, "When(", func(tab table.Table) table.Table {
			return broken{Table: tab, write: func(ctx context.Context, tab table.Table, ops []table.Op) (table.Item, error) {
				item, err := tab.Write(ctx, ops...)
				if _, refused := errors.AsType[*table.RefusedError](err); refused && len(ops) > 1 {
					if _, err := tab.Write(ctx, ops[0]); err != nil && !errors.Is(err, table.ErrInvalid) {
						return nil, err
					}
				}
				return item, err
			}}
		}},
		{"an item leaves an index late", 3, "", func(tab table.Table) table.Table {
			return broken{Table: tab, query: func(q table.Query, p table.Page) table.Page {
				if q.Index == table.Audience && len(p.Items) == 2 {
					p.Items = append(p.Items, p.Items[1])
				}
				return p
			}}
		}},
	} {
		t.Run(bug.name, func(t *testing.T) {
			t.Parallel()
			differs := func(p []tabletest.Step) *tabletest.Difference {
				return tabletest.Compare(t.Context(), p, newModel(), bug.make(newModel()))
			}
			program := tabletest.Program(1, steps)
			d := differs(program)
			if d == nil {
				t.Fatal("not found")
			}
			short, d := tabletest.Shrink(program[:d.Step+1], d, differs)
			text := tabletest.Format(short)
			t.Logf("%s%s", text, d.Diff)
			if len(short) > bug.steps || !strings.Contains(text, bug.want) {
				t.Errorf("shrunk to %d steps, want at most %d with %q:\n%s", len(short), bug.steps, bug.want, text)
			}
		})
	}
}

// mapConds changes every comparison in operations.
func mapConds(ops []table.Op, f func(table.CompareCond) table.Cond) []table.Op {
	var change func(c table.Cond) table.Cond
	change = func(c table.Cond) table.Cond {
		switch c := c.(type) {
		case table.CompareCond:
			return f(c)
		case table.BoolCond:
			out := table.BoolCond{Op: c.Op}
			for _, sub := range c.Conds {
				out.Conds = append(out.Conds, change(sub))
			}
			return out
		}
		return c
	}
	out := make([]table.Op, len(ops))
	for i, op := range ops {
		if op.If != nil {
			op.If = change(op.If)
		}
		out[i] = op
	}
	return out
}

// TestProgram demands that a seed means one program, with enough of everything in it.
func TestProgram(t *testing.T) {
	t.Parallel()
	if a, b := tabletest.Format(tabletest.Program(3, steps)), tabletest.Format(tabletest.Program(3, steps)); a != b {
		t.Error("the same seed made two programs")
	}
	done := map[tabletest.Do]int{}
	invalid, transactions := 0, 0
	for _, s := range tabletest.Program(3, steps) {
		done[s.Do]++
		if s.Invalid {
			invalid++
		}
		if len(s.Ops) > 1 {
			transactions++
		}
	}
	for _, do := range []tabletest.Do{tabletest.DoGet, tabletest.DoBatchGet, tabletest.DoWrite, tabletest.DoBatchPut, tabletest.DoQuery,
		tabletest.DoContinue, tabletest.DoWalk} {
		if done[do] < steps/50 {
			t.Errorf("%d steps of kind %q of %d", done[do], do, steps)
		}
	}
	if invalid < steps/50 || transactions < steps/10 {
		t.Errorf("%d invalid requests, %d transactions of %d steps", invalid, transactions, steps)
	}
}
