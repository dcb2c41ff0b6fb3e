package bolt

import (
	"bytes"
	"encoding/binary"

	bbolt "go.etcd.io/bbolt"

	"tidings/internal/table"
)

var (
	bucketAudience = []byte("audience")
	bucketList     = []byte("list")
	bucketTTL      = []byte("ttl") // not an index of the port: when which item expires
)

// store puts an encoded item in place of another (either may be nil) and keeps the indexes with it.
func store(tx *bbolt.Tx, key, old, new []byte) error {
	was, err := entriesOf(key, old)
	if err != nil {
		return err
	}
	is, err := entriesOf(key, new)
	if err != nil {
		return err
	}
	for i := range was {
		if err := reindex(tx.Bucket(was[i].bucket), was[i], is[i]); err != nil {
			return err
		}
	}
	items := tx.Bucket(bucketItems)
	if new == nil {
		return items.Delete(key)
	}
	return items.Put(key, new)
}

func reindex(bucket *bbolt.Bucket, was, is entry) error {
	same := bytes.Equal(was.key, is.key)
	if was.key != nil && !same {
		if err := bucket.Delete(was.key); err != nil {
			return err
		}
	}
	if is.key == nil || same && bytes.Equal(was.value, is.value) {
		return nil
	}
	return bucket.Put(is.key, is.value)
}

// An entry is what an item has in one index; its key is nil when the item is not in it.
type entry struct{ bucket, key, value []byte }

// entriesOf reads the entries of an item from its encoding, without decoding the rest of it. The
// value of a List entry is the card with a byte in front, or empty when there is none.
func entriesOf(key, raw []byte) ([3]entry, error) {
	e := [3]entry{{bucket: bucketAudience}, {bucket: bucketList}, {bucket: bucketTTL}}
	var apk, ask, lpk, lsk string
	r := reader{b: raw}
	for !r.done() {
		switch string(r.text()) {
		case "apk":
			apk, _ = r.value().(string)
		case "ask":
			ask, _ = r.value().(string)
		case "lpk":
			lpk, _ = r.value().(string)
		case "lsk":
			lsk, _ = r.value().(string)
		case table.Card:
			card, _ := r.value().([]byte)
			e[1].value = append([]byte{tagBytes}, card...)
		case table.TTL:
			ttl, _ := r.value().(int64)
			e[2].key = ttlKey(ttl, key)
		default:
			r.skip()
		}
	}
	if r.bad {
		return e, errCorrupt
	}
	if apk != "" && ask != "" {
		e[0].key = indexKey(apk, ask, key)
	}
	if lpk != "" && lsk != "" {
		e[1].key = indexKey(lpk, lsk, key)
	}
	return e, nil
}

// ttlKey orders entries by time; the sign bit is turned so that negative times come first.
func ttlKey(ttl int64, key []byte) []byte {
	b := make([]byte, 8, 8+len(key))
	binary.BigEndian.PutUint64(b, uint64(ttl)^1<<63)
	return append(b, key...)
}

// indexItem makes the item that a query of an index shows.
func indexItem(index table.Index, k, v []byte) (table.Item, string, error) {
	partition, sort, key, err := splitIndexKey(k)
	if err != nil {
		return nil, "", err
	}
	p, s := index.Keys()
	item := table.Item{table.PK: key.PK, table.SK: key.SK, p: partition, s: sort}
	if len(v) > 0 {
		item[table.Card] = append([]byte{}, v[1:]...)
	}
	return item, sort, nil
}
