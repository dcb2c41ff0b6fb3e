package store

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"tidings/internal/audience"
	"tidings/internal/table"
)

// Departures keeps who has left by the links of which digest. Links tell no more than when their digest started, so that is the
// key: "DIG#@<Unix ms>", and in it "U#<partition of the audience>" with a set of numbers, one for each who left. Sets so small are cheap to
// add to, and none of the 64 is hot. It implements audience.Departures and delivery.Departures.
type Departures struct{ Table table.Table }

func departureKey(mailed time.Time, partition int) table.Key {
	return table.Key{PK: fmt.Sprintf("DIG#@%d", mailed.UnixMilli()), SK: fmt.Sprintf("U#%02d", partition)}
}

// Listed implements audience.Departures.
func (d Departures) Listed(ctx context.Context, id string) (bool, error) {
	items, err := d.Table.BatchGet(ctx, []table.Key{profileKey(id)})
	if err != nil {
		return false, fmt.Errorf("read standing of %s: %w", id, err)
	}
	return str(items[profileKey(id)], "status") == string(audience.Confirmed), nil
}

// Left implements audience.Departures. A subscriber is one of 2^31 numbers, so that two of a thousand who left meet once in
// four thousand digests.
func (d Departures) Left(ctx context.Context, mailed time.Time, id string) error {
	h := fnv.New32a()
	h.Write([]byte(id))
	_, err := d.Table.Write(ctx, table.Update(departureKey(mailed, audience.Partition(id)),
		table.AddToSet("who", table.IntSet{int64(h.Sum32() >> 1)}), table.SetIfAbsent(table.TTL, mailed.Add(LedgerRetention).Unix())))
	if err != nil {
		return fmt.Errorf("count leaving of %s: %w", id, err)
	}
	return nil
}

// Departed implements delivery.Departures.
func (d Departures) Departed(ctx context.Context, start time.Time) (n int64, err error) {
	from, to := table.PrefixRange("U#")
	page, err := d.Table.Query(ctx, table.Query{Partition: departureKey(start, 0).PK, From: from, To: to, Limit: audience.Partitions, Consistent: true})
	if err != nil {
		return 0, fmt.Errorf("count leavings: %w", err)
	}
	for _, item := range page.Items {
		who, _ := item["who"].(table.IntSet)
		n += int64(len(who))
	}
	return n, nil
}
