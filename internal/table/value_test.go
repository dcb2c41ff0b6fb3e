package table_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"tidings/internal/table"
)

func TestEqual(t *testing.T) {
	t.Parallel()
	distinct := []table.Value{
		nil, "", "a", int64(0), int64(1), true, false, []byte{}, []byte("a"), table.StringSet{"a"}, table.StringSet{"a", "b"},
		table.IntSet{1}, table.IntSet{1, 2},
	}
	for i, a := range distinct {
		for j, b := range distinct {
			if table.Equal(a, b) != (i == j) {
				t.Errorf("Equal(%#v, %#v) = %v", a, b, i != j)
			}
		}
		if c := table.CloneValue(a); !table.Equal(a, c) {
			t.Errorf("clone of %#v: %#v", a, c)
		}
	}
	if !table.Equal(table.StringSet{"b", "a"}, table.StringSet{"a", "b"}) || !table.Equal(table.IntSet{2, 1}, table.IntSet{1, 2}) {
		t.Error("the order of a set counts")
	}
}

func TestValueSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    table.Value
		want int
	}{
		{"", 0}, {"é", 2}, {[]byte{1, 2, 3}, 3}, {true, 1}, {table.StringSet{"a", "bc"}, 3}, {int64(0), 1}, {int64(7), 2}, {int64(100), 2},
		{int64(101), 3}, {int64(-1), 3}, {int64(12345), 4}, {table.IntSet{1, 100, -1}, 7},
	} {
		if got := table.ValueSize(c.v); got != c.want {
			t.Errorf("size of %#v: %d, want %d", c.v, got, c.want)
		}
	}
	if got := table.Size(table.Item{"pk": "p", "sk": "s", "n": int64(7)}); got != 2+1+2+1+1+2 {
		t.Errorf("size of an item: %d", got)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	met := table.Item{"pk": "p"}
	err := fmt.Errorf("claim: %w", &table.RefusedError{Failed: []table.Refusal{{Op: 1, Item: met}, {Op: 3}}})
	if got, ok := table.Refused(err, 1); !ok || got["pk"] != "p" {
		t.Errorf("operation 1: %v, %v", got, ok)
	}
	if got, ok := table.Refused(err, 3); !ok || got != nil {
		t.Errorf("operation 3: %v, %v", got, ok)
	}
	for _, err := range []error{err, nil, table.ErrBusy, errors.New("refused")} {
		if _, ok := table.Refused(err, 0); ok {
			t.Errorf("%v is a refusal of operation 0", err)
		}
	}
	if got := err.Error(); got != "claim: condition refused for operation 1 3" {
		t.Errorf("message %q: it must not show the item", got)
	}
}

// TestWhenJoins demands that a second condition does not replace the first.
func TestWhenJoins(t *testing.T) {
	t.Parallel()
	op := table.Delete(table.Key{PK: "p", SK: "s"}).When(table.Exists("a")).When(table.Absent("b"))
	b, ok := op.If.(table.BoolCond)
	if !ok || b.Op != "and" || len(b.Conds) != 2 {
		t.Errorf("%+v", op.If)
	}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	table.Report(t.Context(), table.Capacity{Read: 1}) // nobody listens
	if table.Metered(t.Context()) {
		t.Error("metered without a counter")
	}
	inner := &table.Counter{Table: reporting{}}
	outer := &table.Counter{Table: inner}
	if _, err := outer.Get(t.Context(), table.Key{}); err != nil {
		t.Fatal(err)
	}
	want := table.Use{Calls: 1, Capacity: table.Capacity{Read: 2}}
	if inner.Units().Get != want || outer.Units().Total() != want {
		t.Errorf("inner %+v, outer %+v, want %+v in both", inner.Units(), outer.Units(), want)
	}
	if outer.Reset(); outer.Units().Total() != (table.Use{}) {
		t.Errorf("after a reset: %+v", outer.Units())
	}
}

// reporting is an engine that reports two units a read.
type reporting struct{ table.Table }

func (reporting) Get(ctx context.Context, _ table.Key) (table.Item, error) {
	if !table.Metered(ctx) {
		return nil, errors.New("not metered")
	}
	table.Report(ctx, table.Capacity{Read: 2})
	return table.Item{}, nil
}
