package bolt

import (
	"encoding/binary"
	"maps"
	"slices"

	"tidings/internal/table"
)

// An item is kept as a sequence of attributes in the order of their names, without its key, which is
// the key in the bucket: name, type, value; names, strings and bytes have their length in front.
const (
	tagString  = 'S'
	tagInt     = 'N'
	tagTrue    = 'T'
	tagFalse   = 'F'
	tagBytes   = 'B'
	tagStrings = 's'
	tagInts    = 'n'
)

func encodeItem(item table.Item) []byte {
	b := make([]byte, 0, 256)
	for _, name := range slices.Sorted(maps.Keys(item)) {
		if name != table.PK && name != table.SK {
			b = appendValue(appendText(b, name), item[name])
		}
	}
	return b
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendValue writes a value that table's checks have let through.
func appendValue(b []byte, v table.Value) []byte {
	switch v := table.CloneValue(v).(type) {
	case string:
		b = appendText(append(b, tagString), v)
	case int64:
		b = binary.AppendVarint(append(b, tagInt), v)
	case bool:
		if v {
			return append(b, tagTrue)
		}
		b = append(b, tagFalse)
	case []byte:
		b = appendText(append(b, tagBytes), v)
	case table.StringSet:
		b = binary.AppendUvarint(append(b, tagStrings), uint64(len(v)))
		for _, s := range v {
			b = appendText(b, s)
		}
	case table.IntSet:
		b = binary.AppendUvarint(append(b, tagInts), uint64(len(v)))
		for _, i := range v {
			b = binary.AppendVarint(b, i)
		}
	}
	return b
}

func decodeItem(key table.Key, raw []byte) (table.Item, error) {
	item := table.Item{table.PK: key.PK, table.SK: key.SK}
	r := reader{b: raw}
	for !r.done() {
		name := string(r.text())
		item[name] = r.value()
	}
	if r.bad {
		return nil, errCorrupt
	}
	return item, nil
}

// A reader reads the parts of an encoded item. Once it met something unreadable, bad stays true.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) done() bool { return r.bad || len(r.b) == 0 }

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) uvarint() uint64 {
	n, w := binary.Uvarint(r.b)
	if w <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[w:]
	return n
}

func (r *reader) varint() int64 {
	n, w := binary.Varint(r.b)
	if w <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[w:]
	return n
}

// text returns a string or bytes as a part of the file, valid as long as the transaction.
func (r *reader) text() []byte { return r.take(r.uvarint()) }

func (r *reader) tag() byte {
	if p := r.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (r *reader) value() table.Value {
	switch r.tag() {
	case tagString:
		return string(r.text())
	case tagInt:
		return r.varint()
	case tagTrue:
		return true
	case tagFalse:
		return false
	case tagBytes:
		return append([]byte{}, r.text()...)
	case tagStrings:
		set := table.StringSet{}
		for n := r.uvarint(); n > 0 && !r.bad; n-- {
			set = append(set, string(r.text()))
		}
		return set
	case tagInts:
		set := table.IntSet{}
		for n := r.uvarint(); n > 0 && !r.bad; n-- {
			set = append(set, r.varint())
		}
		return set
	}
	r.bad = true
	return nil
}

// skip passes over a value without decoding it.
func (r *reader) skip() {
	switch r.tag() {
	case tagString, tagBytes:
		r.text()
	case tagInt:
		r.varint()
	case tagTrue, tagFalse:
	case tagStrings:
		for n := r.uvarint(); n > 0 && !r.bad; n-- {
			r.text()
		}
	case tagInts:
		for n := r.uvarint(); n > 0 && !r.bad; n-- {
			r.varint()
		}
	default:
		r.bad = true
	}
}
