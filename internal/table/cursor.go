package table

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// A Position is a place within a query: the key of the item after which a page continues, and that
// item's sort key in the index (the same as Key.SK on Main).
type Position struct {
	Key  Key
	Sort string
}

// sumBytes of a SHA-256 tie a cursor to its query. It guards against mistakes, not against forgers: a
// forged cursor can only name another place within the partition and range that the caller chose.
const sumBytes = 8

// EncodeCursor returns the cursor that continues q after a position. It binds index, partition,
// range and direction; limit and consistency may change between pages.
func EncodeCursor(q Query, at Position) string {
	b := make([]byte, sumBytes, sumBytes+6+len(at.Key.PK)+len(at.Key.SK)+len(at.Sort))
	b = appendString(b, at.Key.PK)
	b = appendString(b, at.Key.SK)
	if q.Index != Main {
		b = append(b, at.Sort...)
	}
	sum := cursorSum(q, b[sumBytes:])
	copy(b, sum[:sumBytes])
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeCursor reads q.Cursor, which must not be empty. An error is ErrCursor.
func DecodeCursor(q Query) (Position, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	if err != nil || len(b) < sumBytes {
		return Position{}, fmt.Errorf("%w: not readable", ErrCursor)
	}
	if sum := cursorSum(q, b[sumBytes:]); string(sum[:sumBytes]) != string(b[:sumBytes]) {
		return Position{}, fmt.Errorf("%w: made by another query", ErrCursor)
	}
	pk, rest, ok1 := cutString(b[sumBytes:])
	sk, rest, ok2 := cutString(rest)
	at := Position{Key{pk, sk}, sk}
	if q.Index != Main {
		at.Sort = string(rest)
	}
	if !ok1 || !ok2 || CheckKey(at.Key) != nil || checkKeyPart("cursor", at.Sort, MaxSortKey) != nil ||
		at.Sort < q.From || (q.To != "" && at.Sort > q.To) {
		return Position{}, fmt.Errorf("%w: outside of its query", ErrCursor)
	}
	return at, nil
}

func cursorSum(q Query, position []byte) [sha256.Size]byte {
	var b []byte
	for _, s := range []string{string(q.Index), q.Partition, q.From, q.To} {
		b = appendString(b, s)
	}
	if q.Descending {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return sha256.Sum256(append(b, position...))
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutString(b []byte) (s string, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return "", nil, false
	}
	return string(b[w : w+int(n)]), b[w+int(n):], true
}
