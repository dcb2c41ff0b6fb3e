package table

import (
	"fmt"
	"unicode/utf8"
)

// More limits of DynamoDB that every engine enforces alike.
const (
	MaxPartitionKey = 2048    // bytes of a partition key, of the table or an index
	MaxSortKey      = 1024    // bytes of a sort key, of the table or an index
	MaxName         = 255     // bytes of an attribute name, DynamoDB's bound for names in keys and indexes
	MaxActions      = 100     // actions in one Update; keeps its expression below 4 KB
	MaxCondNodes    = 100     // nodes in one condition; keeps its expression below 4 KB and 300 operators
	MaxWriteBytes   = 4 << 20 // all items of one Write of several operations
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// CheckKey demands non-empty keys within DynamoDB's bounds.
func CheckKey(k Key) error {
	if err := checkKeyPart(PK, k.PK, MaxPartitionKey); err != nil {
		return err
	}
	return checkKeyPart(SK, k.SK, MaxSortKey)
}

func checkKeyPart(name string, v Value, bound int) error {
	s, ok := v.(string)
	switch {
	case !ok:
		return invalid("key attribute %q is %T, not string", name, v)
	case s == "":
		return invalid("key attribute %q is empty", name)
	case len(s) > bound:
		return invalid("key attribute %q has %d bytes, at most %d", name, len(s), bound)
	case !utf8.ValidString(s):
		return invalid("key attribute %q is not UTF-8", name)
	}
	return nil
}

// CheckKeys demands at most MaxBatchGet distinct keys.
func CheckKeys(keys []Key) error {
	if len(keys) > MaxBatchGet {
		return invalid("%d keys in one BatchGet, at most %d", len(keys), MaxBatchGet)
	}
	seen := make(map[Key]bool, len(keys))
	for i, k := range keys {
		if err := CheckKey(k); err != nil {
			return fmt.Errorf("key %d: %w", i, err)
		}
		if seen[k] {
			return invalid("key %d is given twice", i)
		}
		seen[k] = true
	}
	return nil
}

// CheckItems demands items that can be stored, with distinct keys.
func CheckItems(items []Item) error {
	seen := make(map[Key]bool, len(items))
	for i, item := range items {
		if err := CheckItem(item); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
		k := KeyOf(item)
		if seen[k] {
			return invalid("item %d has the key of another", i)
		}
		seen[k] = true
	}
	return nil
}

// CheckItem demands an item that can be stored: both keys, valid names and values, at most
// MaxItemBytes.
func CheckItem(item Item) error {
	for _, name := range []string{PK, SK} {
		if _, ok := item[name]; !ok {
			return invalid("item without %q", name)
		}
	}
	for name, v := range item {
		if err := checkAttribute(name, v); err != nil {
			return err
		}
	}
	return CheckSize(item)
}

// CheckSize demands that an item, for example one that an Update made, has at most MaxItemBytes.
func CheckSize(item Item) error {
	if n := Size(item); n > MaxItemBytes {
		return invalid("item of %d bytes, at most %d", n, MaxItemBytes)
	}
	return nil
}

// checkAttribute knows the attributes that have a meaning: keys are bounded strings, ttl is a number
// and card is bytes.
func checkAttribute(name string, v Value) error {
	switch name {
	case PK, "apk", "lpk":
		return checkKeyPart(name, v, MaxPartitionKey)
	case SK, "ask", "lsk":
		return checkKeyPart(name, v, MaxSortKey)
	case TTL:
		if _, ok := v.(int64); !ok {
			return invalid("attribute %q is %T, not int64", name, v)
		}
	case Card:
		if _, ok := v.([]byte); !ok {
			return invalid("attribute %q is %T, not []byte", name, v)
		}
	}
	if err := checkName(name); err != nil {
		return err
	}
	return checkValue(name, v)
}

// checkName keeps out what DynamoDB's expressions would read as a path into a document.
func checkName(name string) error {
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) {
		return invalid("attribute name of %d bytes: 1 to %d bytes of UTF-8 are allowed", len(name), MaxName)
	}
	for _, r := range name {
		if r == '.' || r == '[' || r == ']' {
			return invalid("attribute name %q holds one of . [ ]", name)
		}
	}
	return nil
}

func checkValue(name string, v Value) error {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return invalid("attribute %q is not UTF-8", name)
		}
	case int64, bool, []byte:
	case StringSet:
		for _, s := range v {
			if !utf8.ValidString(s) {
				return invalid("attribute %q has an element that is not UTF-8", name)
			}
		}
		return checkSet(name, v)
	case IntSet:
		return checkSet(name, v)
	default:
		return invalid("attribute %q has the unknown type %T", name, v)
	}
	return nil
}

func checkSet[T comparable](name string, set []T) error {
	if len(set) == 0 {
		return invalid("attribute %q is an empty set", name)
	}
	seen := make(map[T]bool, len(set))
	for _, e := range set {
		if seen[e] {
			return invalid("attribute %q is a set with an element twice", name)
		}
		seen[e] = true
	}
	return nil
}

// CheckQuery demands a query that an engine can run. It does not look at the cursor.
func CheckQuery(q Query) error {
	switch q.Index {
	case Main, Audience, List:
	default:
		return invalid("unknown index %q", q.Index)
	}
	partition, sort := q.Index.Keys()
	if err := checkKeyPart(partition, q.Partition, MaxPartitionKey); err != nil {
		return err
	}
	for _, bound := range []string{q.From, q.To} {
		if bound == "" {
			continue
		}
		if err := checkKeyPart(sort, bound, MaxSortKey); err != nil {
			return err
		}
	}
	if q.From != "" && q.To != "" && q.From > q.To {
		return invalid("query from after to")
	}
	if q.Limit < 1 || q.Limit > MaxQuery {
		return invalid("query limit %d, 1 to %d are allowed", q.Limit, MaxQuery)
	}
	if q.Consistent && q.Index != Main {
		return invalid("consistent query of index %q", q.Index)
	}
	return nil
}
