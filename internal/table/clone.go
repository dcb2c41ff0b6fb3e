package table

import (
	"bytes"
	"slices"
)

// Clone returns a copy of an item that shares nothing with it, in the form in which every engine
// gives items back: sets sorted, no nil bytes.
func Clone(item Item) Item {
	if item == nil {
		return nil
	}
	c := make(Item, len(item))
	for name, v := range item {
		c[name] = CloneValue(v)
	}
	return c
}

// CloneValue returns a copy of a value, sets sorted and bytes not nil.
func CloneValue(v Value) Value {
	switch v := v.(type) {
	case []byte:
		return append([]byte{}, v...)
	case StringSet:
		c := slices.Clone(v)
		slices.Sort(c)
		return c
	case IntSet:
		c := slices.Clone(v)
		slices.Sort(c)
		return c
	}
	return v
}

// Equal reports whether two values have the same type and content; the order within sets does not
// count.
func Equal(a, b Value) bool {
	switch a := CloneValue(a).(type) {
	case []byte:
		b, ok := b.([]byte)
		return ok && bytes.Equal(a, b)
	case StringSet:
		b, ok := CloneValue(b).(StringSet)
		return ok && slices.Equal(a, b)
	case IntSet:
		b, ok := CloneValue(b).(IntSet)
		return ok && slices.Equal(a, b)
	default:
		switch b.(type) {
		case []byte, StringSet, IntSet:
			return false
		}
		return a == b
	}
}
