package tabletest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/table"
)

// Differential runs the random program of a seed on two tables and demands the same answers and the same
// contents. A difference is shrunk to a short program, which is printed in the form of Go. open1 and open2
// return empty tables, new ones for each call.
func Differential(t *testing.T, seed uint64, steps int, open1, open2 func(t *testing.T) table.Table) {
	t.Helper()
	program := Program(seed, steps)
	differs := func(p []Step) *Difference { return Compare(ctx(t), p, open1(t), open2(t)) }
	d := differs(program)
	if d == nil {
		return
	}
	short, d := Shrink(program[:d.Step+1], d, differs)
	t.Errorf("seed %d: the tables differ at the last step of\n%s\n(-first +second)\n%s", seed, Format(short), d.Diff)
}

// A Difference is where two tables gave different answers.
type Difference struct {
	Step int
	Diff string // the answers' difference, first table -, second +
}

// Compare runs a program on two tables up to the first step that they answer differently, or one of them
// not as it must. It returns nil when there is none.
func Compare(ctx context.Context, program []Step, first, second table.Table) *Difference {
	a, b := &runner{tab: first}, &runner{tab: second}
	for i, s := range program {
		answer1, answer2 := a.run(ctx, s), b.run(ctx, s)
		if diff := cmp.Diff(answer1, answer2); diff != "" {
			return &Difference{i, diff}
		}
		if s.Invalid && answer1.Err != kindInvalid {
			return &Difference{i, fmt.Sprintf("both let an invalid request through: %+v", answer1)}
		}
	}
	return nil
}

// Kinds of errors, which tables must agree on; what the errors say is their own affair.
const (
	kindNotFound = "not found"
	kindCursor   = "cursor"
	kindInvalid  = "invalid"
	kindRefused  = "refused"
)

// An answer is what a step got from a table, in a form that two tables can share.
type answer struct {
	Err     string
	Refused []table.Refusal
	Item    table.Item   // of a Write, with nil for none
	Items   []table.Item // in their order; those of a batch by key
	More    bool         // there was a cursor
}

func failed(err error) answer {
	refused, isRefusal := errors.AsType[*table.RefusedError](err)
	switch {
	case err == nil:
		return answer{}
	case isRefusal:
		return answer{Err: kindRefused, Refused: refused.Failed}
	case errors.Is(err, table.ErrNotFound):
		return answer{Err: kindNotFound}
	case errors.Is(err, table.ErrCursor):
		return answer{Err: kindCursor}
	case errors.Is(err, table.ErrInvalid):
		return answer{Err: kindInvalid}
	}
	return answer{Err: err.Error()} // no two engines word it alike, so it shows up as a difference
}

// A runner runs a program's steps on one table. Its slots keep queries that a later step goes on with.
type runner struct {
	tab   table.Table
	slots [slots]table.Query
}

func (r *runner) run(ctx context.Context, s Step) answer {
	switch s.Do {
	case DoGet:
		item, err := r.tab.Get(ctx, s.Keys[0])
		a := failed(err)
		a.Item = item
		return a
	case DoBatchGet:
		found, err := r.tab.BatchGet(ctx, s.Keys)
		a := failed(err)
		for _, item := range found {
			a.Items = append(a.Items, item)
		}
		slices.SortFunc(a.Items, byKey)
		return a
	case DoWrite:
		item, err := r.tab.Write(ctx, s.Ops...)
		a := failed(err)
		a.Item = item
		return a
	case DoBatchPut:
		return failed(r.tab.BatchPut(ctx, s.Items))
	case DoQuery:
		return r.page(ctx, s.Slot, s.Query)
	case DoContinue:
		return r.resume(ctx, s)
	case DoWalk:
		return r.walk(ctx, s.Query)
	}
	return r.contents(ctx)
}

// page reads one page and keeps its cursor in the slot.
func (r *runner) page(ctx context.Context, slot int, q table.Query) answer {
	page, err := r.tab.Query(ctx, q)
	a := failed(err)
	a.Items, a.More = settle(page.Items, q.Index, page.Cursor != ""), page.Cursor != ""
	q.Cursor = page.Cursor
	r.slots[slot] = q
	return a
}

// resume goes on with the query in a slot, with the limit of this step. The step's other fields, where
// they are given, spoil the cursor.
func (r *runner) resume(ctx context.Context, s Step) answer {
	q := r.slots[s.Slot]
	if q.Cursor == "" {
		return answer{}
	}
	q.Limit = s.Query.Limit
	if s.Query.From != "" {
		q.From, q.To = s.Query.From, s.Query.To
		_, err := r.tab.Query(ctx, q)
		return failed(err)
	}
	return r.page(ctx, s.Slot, q)
}

// walk pages to the end.
func (r *runner) walk(ctx context.Context, q table.Query) answer {
	var all []table.Item
	for range maxPages {
		page, err := r.tab.Query(ctx, q)
		if err != nil {
			return failed(err)
		}
		if len(page.Items) > q.Limit {
			return answer{Err: fmt.Sprintf("page of %d items, the limit is %d", len(page.Items), q.Limit)}
		}
		all = append(all, page.Items...)
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return answer{Items: settle(all, q.Index, false)}
		}
	}
	return answer{Err: "pages without end"}
}

// contents reads all of a program's keys and partitions.
func (r *runner) contents(ctx context.Context) answer {
	all := r.run(ctx, Step{Do: DoBatchGet, Keys: keySpace()})
	for _, index := range []table.Index{table.Main, table.Audience, table.List} {
		for _, partition := range partitions(index) {
			a := r.walk(ctx, table.Query{Index: index, Partition: partition, Limit: 7})
			all.Items = append(all.Items, a.Items...)
			all.Err += a.Err
		}
	}
	return all
}

// settle takes out of an index's items what DynamoDB leaves open: the order of items with the same sort
// key, and which of those the end of a page falls between. Only List has such items in programs.
func settle(items []table.Item, index table.Index, cut bool) []table.Item {
	if index != table.List {
		return items
	}
	_, name := index.Keys()
	for start := 0; start < len(items); {
		end := start + 1
		for end < len(items) && items[end][name] == items[start][name] {
			end++
		}
		slices.SortFunc(items[start:end], byKey)
		for i := start; cut && end == len(items) && i < end; i++ {
			items[i] = table.Item{name: items[i][name]}
		}
		start = end
	}
	return items
}

func byKey(a, b table.Item) int {
	x, y := table.KeyOf(a), table.KeyOf(b)
	if x.PK != y.PK {
		return strings.Compare(x.PK, y.PK)
	}
	return strings.Compare(x.SK, y.SK)
}
