package bolt

import (
	"fmt"
	"maps"
	"slices"

	"tidings/internal/table"
)

// apply returns what an update makes of an item, or of nothing. The item itself is not changed.
func apply(key table.Key, item table.Item, actions []table.Action) (table.Item, error) {
	out := maps.Clone(item)
	if out == nil {
		out = table.Item{table.PK: key.PK, table.SK: key.SK}
	}
	for _, a := range actions {
		v, ok := out[a.Name]
		var err error
		switch a.Kind {
		case table.ActSet:
			v = table.CloneValue(a.Value)
		case table.ActSetIfAbsent:
			if !ok {
				v = table.CloneValue(a.Value)
			}
		case table.ActRemove:
			v = nil
		case table.ActAdd:
			v, err = add(v, a)
		case table.ActAddToSet, table.ActDeleteFromSet:
			v, err = changeSet(v, a)
		}
		if err != nil {
			return nil, err
		}
		if v == nil {
			delete(out, a.Name)
		} else {
			out[a.Name] = v
		}
	}
	return out, table.CheckSize(out)
}

func add(v table.Value, a table.Action) (table.Value, error) {
	n, _ := a.Value.(int64)
	if v == nil {
		return n, nil
	}
	old, ok := v.(int64)
	if !ok {
		return nil, fmt.Errorf("%w: add to %T attribute %q", table.ErrInvalid, v, a.Name)
	}
	sum := old + n
	if (sum > old) != (n > 0) && n != 0 {
		return nil, fmt.Errorf("%w: attribute %q grows beyond int64", table.ErrInvalid, a.Name)
	}
	return sum, nil
}

func changeSet(v table.Value, a table.Action) (table.Value, error) {
	switch change := a.Value.(type) {
	case table.StringSet:
		if old, ok := v.(table.StringSet); ok || v == nil {
			if set := combine(old, change, a.Kind); len(set) > 0 {
				return table.StringSet(set), nil
			}
			return nil, nil
		}
	case table.IntSet:
		if old, ok := v.(table.IntSet); ok || v == nil {
			if set := combine(old, change, a.Kind); len(set) > 0 {
				return table.IntSet(set), nil
			}
			return nil, nil
		}
	}
	return nil, fmt.Errorf("%w: change of %T attribute %q by %T", table.ErrInvalid, v, a.Name, a.Value)
}

// combine returns the sorted union or difference of two sets.
func combine[T int64 | string](old, change []T, kind table.ActionKind) []T {
	if kind == table.ActDeleteFromSet {
		return slices.DeleteFunc(slices.Clone(old), func(e T) bool { return slices.Contains(change, e) })
	}
	set := append(slices.Clone(old), change...)
	slices.Sort(set)
	return slices.Compact(set)
}
