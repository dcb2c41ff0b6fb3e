// Package store holds what the domain keeps, written once over the storage port (package table) and so the same on
// DynamoDB, on the embedded engine and in the simulation. Each store is a small struct over a table.Table; the keys of all of
// them live in one table, and each store's documentation says which are its own.
//
//	S#<subscriber>            A profile, P pending sign-up, E#… consent events   Subscribers
//	LIM#…                     C counter of a limit                               Subscribers
//	ART#<slug>, SRC#<hash>    A article, T#… its topics; A source's article      Articles
//	DIG#<digest>              A digest, C frozen content                         Digests, Deliveries
//	ARC#<slug>                A name in the archive                              Digests
//	DIG#@<start>              U#… who left by its links                          Departures
//	DIG#<digest>              P progress                                         Tallies
//	L#<digest>#<shard>        S shard, B#… batches, O#… outcomes                 Ledger
//	L#witness                 W how far SES's events have come                   Witness
//	RATE                      A shares of SES's rate                             Rates
package store

import (
	"time"

	"tidings/internal/table"
)

// str returns a string attribute, "" when it is absent.
func str(item table.Item, name string) string {
	s, _ := item[name].(string)
	return s
}

// num returns a number attribute, 0 when it is absent.
func num(item table.Item, name string) int64 {
	n, _ := item[name].(int64)
	return n
}

// milli returns a time kept in Unix milliseconds, the zero time when it is absent.
func milli(item table.Item, name string) time.Time {
	n, ok := item[name].(int64)
	if !ok {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// expired reports whether an item's TTL has passed. An engine deletes such items some time later; until then the stores
// treat them as absent.
func expired(item table.Item, now time.Time) bool {
	ttl, ok := item[table.TTL].(int64)
	return ok && ttl <= now.Unix()
}
