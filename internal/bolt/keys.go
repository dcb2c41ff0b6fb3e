package bolt

import (
	"encoding/binary"
	"errors"

	"tidings/internal/table"
)

var errCorrupt = errors.New("corrupt file")

// mainKey orders items by sort key within a partition: the partition key has its length in front, so
// that no two keys collide, whatever bytes they hold.
func mainKey(k table.Key) []byte {
	b := make([]byte, 0, 2+len(k.PK)+len(k.SK))
	return append(appendPartition(b, k.PK), k.SK...)
}

// appendPartition writes a partition key behind its length. Keys have at most 2,048 bytes.
func appendPartition(b []byte, pk string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(pk))), pk...)
}

func splitMainKey(b []byte) (table.Key, error) {
	pk, sk, ok := cutPartition(b)
	if !ok {
		return table.Key{}, errCorrupt
	}
	return table.Key{PK: string(pk), SK: string(sk)}, nil
}

func cutPartition(b []byte) (pk, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	if len(b) < n {
		return nil, nil, false
	}
	return b[2:n], b[n:], true
}

// indexKey orders the entries of an index by their sort key, and equal ones by the item's own key.
func indexKey(partition, sort string, main []byte) []byte {
	b := make([]byte, 0, 2+len(partition)+len(sort)+2+len(main))
	b = appendSort(appendPartition(b, partition), sort)
	return append(append(b, 0, 1), main...)
}

// appendSort writes a sort key so that something can follow: a zero byte becomes 00 FF, and the end is
// 00 01, which is less than anything that a longer key has in that place.
func appendSort(b []byte, sort string) []byte {
	for i := 0; i < len(sort); i++ {
		b = append(b, sort[i])
		if sort[i] == 0 {
			b = append(b, 0xFF)
		}
	}
	return b
}

// splitIndexKey returns the parts of an index key.
func splitIndexKey(b []byte) (partition, sort string, key table.Key, err error) {
	p, rest, ok := cutPartition(b)
	if !ok {
		return "", "", table.Key{}, errCorrupt
	}
	s := make([]byte, 0, len(rest))
	for i := 0; i+1 < len(rest); i++ {
		switch {
		case rest[i] != 0:
			s = append(s, rest[i])
		case rest[i+1] == 1:
			key, err = splitMainKey(rest[i+2:])
			return string(p), string(s), key, err
		default:
			s = append(s, 0)
			i++
		}
	}
	return "", "", table.Key{}, errCorrupt
}

// span returns the keys of a query as lo ≤ key < hi.
func span(q table.Query) (lo, hi []byte, err error) {
	lo = appendPartition(nil, q.Partition)
	hi = appendPartition(nil, q.Partition)
	if q.Index == table.Main {
		lo = append(lo, q.From...)
	} else {
		lo = appendSort(lo, q.From)
	}
	switch {
	case q.To == "":
		hi[len(hi)-1]++ // never overflows: the last byte of UTF-8 is below FF
	case q.Index == table.Main:
		hi = append(append(hi, q.To...), 0)
	default:
		hi = append(appendSort(hi, q.To), 0, 2)
	}
	if q.Cursor == "" {
		return lo, hi, nil
	}
	at, err := table.DecodeCursor(q)
	if err != nil {
		return nil, nil, err
	}
	last := mainKey(at.Key)
	if q.Index != table.Main {
		last = indexKey(q.Partition, at.Sort, last)
	}
	if q.Descending {
		return lo, last, nil
	}
	return append(last, 0), hi, nil
}
