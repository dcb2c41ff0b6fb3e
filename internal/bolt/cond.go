package bolt

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"tidings/internal/table"
)

// holds reports whether a condition holds on an item; nil means that there is none.
func holds(c table.Cond, item table.Item) bool {
	switch c := c.(type) {
	case table.ExistsCond:
		_, ok := item[c.Name]
		return ok != c.Not
	case table.CompareCond:
		v, ok := item[c.Name]
		return compare(c, v, ok)
	case table.ContainsCond:
		return contains(item[c.Name], c.Value)
	case table.BoolCond:
		if c.Op == "not" {
			return !holds(c.Conds[0], item)
		}
		// An "or" stops at the first that holds, an "and" at the first that does not.
		or := c.Op == "or"
		return or == slices.ContainsFunc(c.Conds, func(sub table.Cond) bool { return holds(sub, item) == or })
	}
	return false
}

func compare(c table.CompareCond, v table.Value, ok bool) bool {
	switch c.Op {
	case table.OpEq:
		return ok && table.Equal(v, c.Value)
	case table.OpNe:
		return !ok || !table.Equal(v, c.Value)
	}
	n, comparable := order(v, c.Value)
	if !ok || !comparable {
		return false
	}
	switch c.Op {
	case table.OpLt:
		return n < 0
	case table.OpLe:
		return n <= 0
	case table.OpGt:
		return n > 0
	default:
		return n >= 0
	}
}

// order compares two values of the same ordered type; strings order by their bytes.
func order(a, b table.Value) (n int, comparable bool) {
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b), true
		}
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b), true
		}
	case []byte:
		if b, ok := b.([]byte); ok {
			return bytes.Compare(a, b), true
		}
	}
	return 0, false
}

func contains(v, element table.Value) bool {
	switch e := element.(type) {
	case string:
		switch v := v.(type) {
		case string:
			return strings.Contains(v, e)
		case table.StringSet:
			return slices.Contains(v, e)
		}
	case int64:
		if v, ok := v.(table.IntSet); ok {
			return slices.Contains(v, e)
		}
	}
	return false
}
