package table

import "math"

// The rules of DynamoDB's capacity units, from its developer guide ("Read and write operations",
// "Global secondary indexes: Write capacity"), each compared with DynamoDB Local in package tabletest.

// Transactional reports whether operations are a transaction of DynamoDB, which costs twice the units:
// several of them, or a check, which exists in no other form.
func Transactional(ops []Op) bool { return len(ops) > 1 || len(ops) == 1 && ops[0].Kind == OpCheck }

// WriteUnits returns the units of one operation that was carried out, given the item before and after
// (nil: none). A check has the same item before and after.
//
// The table takes a unit for each started KB of the larger of the two. An index takes, for what it
// projects: nothing when nothing changes, a unit per KB of the larger when only Card changes, and else
// a unit per KB each for the entry that goes and the one that comes.
func WriteUnits(old, new Item, transactional bool) Capacity {
	c := Capacity{Write: kilobytes(max(Size(old), Size(new)))}
	for _, index := range []Index{Audience, List} {
		c.Index += indexUnits(Project(index, old), Project(index, new))
	}
	if transactional {
		c.Write *= 2
	}
	c.Write += c.Index
	return c
}

func indexUnits(old, new Item) float64 {
	units := 0.0
	if old != nil && new != nil && sameEntry(old, new) {
		if Equal(old[Card], new[Card]) {
			return 0
		}
		return kilobytes(max(Size(old), Size(new)))
	}
	for _, entry := range []Item{old, new} {
		if entry != nil {
			units += kilobytes(Size(entry))
		}
	}
	return units
}

func sameEntry(a, b Item) bool {
	for name, v := range a {
		if name != Card && b[name] != v {
			return false
		}
	}
	return true
}

// Project returns what an index shows of an item, nil when the item is not in the index.
func Project(index Index, item Item) Item {
	p, s := index.Keys()
	if item[p] == nil || item[s] == nil {
		return nil
	}
	out := Item{PK: item[PK], SK: item[SK], p: item[p], s: item[s]}
	if card, ok := item[Card]; ok && index == List {
		out[Card] = card
	}
	return out
}

// RefusedUnits estimates what a refused Write costs, since DynamoDB's answer does not say: the units of
// the items it met, as far as the refusal shows them, or of the items to put.
func RefusedUnits(ops []Op, refused *RefusedError) Capacity {
	met := make(map[int]int, len(refused.Failed))
	for _, f := range refused.Failed {
		met[f.Op] = Size(f.Item)
	}
	var c Capacity
	for i, op := range ops {
		size := met[i]
		if len(ops) > 1 {
			size = max(size, Size(op.Item))
		}
		c.Write += kilobytes(size)
	}
	if Transactional(ops) {
		c.Write *= 2
	}
	return c
}

// GetUnits returns the units of a strongly consistent read of one item, or of none.
func GetUnits(item Item) Capacity { return Capacity{Read: fourKilobytes(Size(item))} }

// QueryUnits returns the units of a page that read bytes in all.
func QueryUnits(bytes int, consistent bool) Capacity {
	if consistent {
		return Capacity{Read: fourKilobytes(bytes)}
	}
	return Capacity{Read: fourKilobytes(bytes) / 2}
}

func kilobytes(n int) float64     { return max(1, math.Ceil(float64(n)/1024)) }
func fourKilobytes(n int) float64 { return max(1, math.Ceil(float64(n)/4096)) }
