// Package table is the storage port: everything Tidings keeps goes through it, in DynamoDB's own
// terms, so that the stores are written once and run unchanged on DynamoDB (package dynamo), on one
// embedded file (package bolt) and in the delivery simulation.
//
// It is deliberately narrow. A store that wants a scan, a filter or a third index has the wrong
// key design.
package table

import "context"

// Names of the attributes that carry meaning for an engine. All others belong to the stores.
const (
	PK   = "pk"   // partition key of the table, a non-empty string
	SK   = "sk"   // sort key of the table, a non-empty string
	TTL  = "ttl"  // int64, Unix seconds after which an engine may delete the item, some time later
	Card = "card" // bytes, the only non-key attribute that the List index projects
)

// Limits of DynamoDB that every engine enforces alike.
const (
	MaxOps       = 100        // operations in one Write
	MaxBatchGet  = 100        // keys in one BatchGet
	MaxItemBytes = 400 * 1024 // an item with its attribute names
	MaxQuery     = 1000       // items in one page of a Query
)

// An Index is one of the two sparse global secondary indexes: an item appears in it only while it
// has both of the index's key attributes. Indexes are eventually consistent.
type Index string

// The table itself and its two indexes.
const (
	Main Index = ""
	// Audience is keyed by "apk" and "ask" and projects keys only: who can be mailed.
	Audience Index = "audience"
	// List is keyed by "lpk" and "lsk" and projects Card: the rows of listings.
	List Index = "list"
)

// Keys returns the names of the partition and sort key attributes of an index.
func (i Index) Keys() (partition, sort string) {
	switch i {
	case Audience:
		return "apk", "ask"
	case List:
		return "lpk", "lsk"
	}
	return PK, SK
}

// A Value is one of string, int64, bool, []byte, StringSet or IntSet. Sets are never empty, hold
// no element twice and are read back sorted. Documents are JSON in []byte.
type Value any

// StringSet is a DynamoDB string set.
type StringSet []string

// IntSet is a DynamoDB number set of integers.
type IntSet []int64

// An Item maps attribute names to values. Every stored item has PK and SK.
type Item map[string]Value

// Key names one item.
type Key struct{ PK, SK string }

// Table is one table with its two indexes. All methods are safe for concurrent use, and honour
// their context's deadline. Errors that are not named here are transport or programming errors.
type Table interface {
	// Get reads one item, strongly consistent. It returns ErrNotFound when there is none.
	Get(ctx context.Context, key Key) (Item, error)
	// BatchGet reads at most MaxBatchGet distinct keys, strongly consistent. The answer has an
	// entry for every key found. It drains what the engine leaves unprocessed, or fails.
	BatchGet(ctx context.Context, keys []Key) (map[Key]Item, error)
	// Query reads one page of one partition in sort-key order.
	Query(ctx context.Context, q Query) (Page, error)
	// Write applies 1 to MaxOps operations on distinct keys, all or nothing. When a condition
	// does not hold, nothing is written and the error is a *RefusedError that names each failing
	// operation. A conflict with another write, or a throttle, is never a refusal: it is retried
	// and, in the end, ErrBusy.
	//
	// A single Put or Update returns the item as it is afterwards, a single Delete the item as it
	// was (nil if there was none); several operations, or a single Check, return nil.
	Write(ctx context.Context, ops ...Op) (Item, error)
	// BatchPut stores any number of items with distinct keys, without conditions and not
	// atomically: after an error, any of them may have been stored. It is idempotent.
	BatchPut(ctx context.Context, items []Item) error
}

// A Query reads one partition of the table or of an index.
type Query struct {
	Index     Index
	Partition string
	// From and To bound the sort key, both inclusive; empty means unbounded.
	From, To string
	// Limit is the number of items wanted, 1 to MaxQuery. A page may hold fewer although more
	// follow, since an engine also limits a page's bytes (DynamoDB: 1 MB).
	Limit int
	// Cursor continues after an earlier Page of the same query. A cursor that was not made by
	// such a page is ErrCursor.
	Cursor     string
	Descending bool
	// Consistent asks for a strongly consistent read; only on Main.
	Consistent bool
}

// A Page is an answer to a Query. Cursor is empty when nothing follows. Items of the Audience index
// hold the keys of table and index only, items of the List index those and Card.
type Page struct {
	Items  []Item
	Cursor string
}

// PrefixRange returns the From and To that select the sort keys that start with prefix.
func PrefixRange(prefix string) (from, to string) { return prefix, prefix + "\U0010FFFF" }
