package bolt

import (
	"bytes"
	"cmp"
	"testing"

	"tidings/internal/table"
)

var fuzzKey = table.Key{PK: "p", SK: "s"}

// Whatever is in a file, reading it answers an item or an error.
func FuzzDecodeItem(f *testing.F) {
	f.Add([]byte{})
	f.Add(encodeItem(table.Item{
		"s": "text", "n": int64(-5), "t": true, "f": false, "b": []byte("bytes"), "ss": table.StringSet{"b", "a"}, "is": table.IntSet{2, 1},
		"apk": "A", "ask": "B", "lpk": "L", "lsk": "M", "card": []byte("c"), "ttl": int64(1_700_000_000),
	}))
	f.Add([]byte{1, 'a', tagStrings, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1})
	f.Add([]byte{1, 'a', tagString, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F})
	f.Fuzz(func(t *testing.T, raw []byte) {
		item, err := decodeItem(fuzzKey, raw)
		if _, err2 := entriesOf(mainKey(fuzzKey), raw); (err == nil) != (err2 == nil) {
			t.Fatalf("decoding: %v, reading the index entries: %v", err, err2)
		}
		if err != nil {
			return
		}
		if item[table.PK] != "p" || item[table.SK] != "s" {
			return // attributes in the name of keys: encodeItem writes none
		}
		again, err := decodeItem(fuzzKey, encodeItem(item))
		if err != nil || len(again) != len(item) {
			t.Fatalf("%v decoded again: %v, %v", item, again, err)
		}
		for name, v := range item {
			if !table.Equal(v, again[name]) {
				t.Fatalf("attribute %q: %v, then %v", name, v, again[name])
			}
		}
	})
}

// Index keys order as their parts do, and give their parts back, whatever bytes these hold.
func FuzzIndexKey(f *testing.F) {
	f.Add("p", "a", "p1", "s1", "a\x00", "p2", "s2")
	f.Add("p", "\x00", "p1", "s1", "\x00\x01", "p1", "s1")
	f.Add("", "a\x00\x01b", "p", "s", "a", "p", "s")
	f.Fuzz(func(t *testing.T, partition, sort1, pk1, sk1, sort2, pk2, sk2 string) {
		if max(len(partition), len(pk1), len(pk2)) > table.MaxPartitionKey {
			return
		}
		main1, main2 := mainKey(table.Key{PK: pk1, SK: sk1}), mainKey(table.Key{PK: pk2, SK: sk2})
		k1, k2 := indexKey(partition, sort1, main1), indexKey(partition, sort2, main2)
		p, s, key, err := splitIndexKey(k1)
		if err != nil || p != partition || s != sort1 || key != (table.Key{PK: pk1, SK: sk1}) {
			t.Fatalf("%q %q %v, %v", p, s, key, err)
		}
		want := cmp.Or(cmp.Compare(sort1, sort2), bytes.Compare(main1, main2))
		if got := bytes.Compare(k1, k2); got != want {
			t.Fatalf("order %d, want %d: %q %q", got, want, k1, k2)
		}
	})
}

// FuzzSplitKeys reads keys that nobody wrote.
func FuzzSplitKeys(f *testing.F) {
	f.Add(mainKey(fuzzKey))
	f.Add(indexKey("A", "s\x00t", mainKey(fuzzKey)))
	f.Add([]byte{0xFF, 0xFF, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if key, err := splitMainKey(b); err == nil && !bytes.Equal(mainKey(key), b) {
			t.Fatalf("%q became %v", b, key)
		}
		if _, _, _, err := splitIndexKey(b); err != nil && err != errCorrupt {
			t.Fatal(err)
		}
	})
}

func TestTTLKeyOrder(t *testing.T) {
	t.Parallel()
	times := []int64{-1 << 63, -5, -1, 0, 1, 1_700_000_000, 1<<63 - 1}
	for i := range times[1:] {
		if bytes.Compare(ttlKey(times[i], nil), ttlKey(times[i+1], nil)) >= 0 {
			t.Errorf("%d does not come before %d", times[i], times[i+1])
		}
	}
}
