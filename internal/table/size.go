package table

// KeyOf returns the key of an item. It is the zero Key when pk or sk is not a string.
func KeyOf(item Item) Key {
	pk, _ := item[PK].(string)
	sk, _ := item[SK].(string)
	return Key{pk, sk}
}

// Size returns the bytes that DynamoDB counts for an item: names and values, a number at about one
// byte per two significant digits and one more. It decides the 400 KB limit and the capacity units.
// (DynamoDB developer guide, "Item sizes and formats".)
func Size(item Item) int {
	n := 0
	for name, v := range item {
		n += len(name) + ValueSize(v)
	}
	return n
}

// ValueSize returns the bytes that DynamoDB counts for a value. The guide says "approximately" for
// numbers; for whole numbers this is what DynamoDB Local charges.
func ValueSize(v Value) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	case bool:
		return 1
	case int64:
		return intSize(v)
	case StringSet:
		n := 0
		for _, s := range v {
			n += len(s)
		}
		return n
	case IntSet:
		n := 0
		for _, i := range v {
			n += intSize(i)
		}
		return n
	}
	return 0
}

// intSize counts a byte per pair of significant decimal digits (zeros at the end are free, pairs are
// aligned to the decimal point), one for the exponent, and one more when negative.
func intSize(i int64) int {
	if i == 0 {
		return 1
	}
	n := 1
	u := uint64(i)
	if i < 0 {
		u = -u
		n++
	}
	for u%100 == 0 {
		u /= 100
	}
	for ; u > 0; u /= 100 {
		n++
	}
	return n
}
