package delivery

import "context"

// rewalkPage is how many IDs of the index, and at most how many batches, are read at a time.
const rewalkPage = 500

// lagFactor is how many times the lag that is reckoned with the index may have in truth: the second walk begins that long after
// the start. On an engine whose index has no lag it begins at once.
const lagFactor = 5

// rewalk goes through the index a second time, beside the ledger, both in the order of IDs, and claims whoever lag of the
// index hid from the first walk. Its cursor moves in the transaction that claims, so that nobody is claimed twice by a
// rewalk that was interrupted.
func (r *run) rewalk(ctx context.Context) error {
	if r.shard.Rewalked {
		return nil
	}
	settled := r.shard.Start.Add(lagFactor * r.shard.Start.Sub(r.shard.CutOff))
	if wait := settled.Sub(r.Now()); wait > 0 && !r.control.Cancelled() {
		return stop{wait}
	}
	claimed := &claimedIDs{run: r}
	after := r.shard.Second
	for {
		if err := r.ready(); err != nil {
			return err
		}
		ids, err := r.next(ctx, after, rewalkPage)
		if err != nil {
			return err
		}
		var late []string
		for _, id := range ids {
			known, err := claimed.has(ctx, id)
			if err != nil {
				return err
			}
			if !known {
				late = append(late, id)
			}
		}
		if err := r.claimAll(ctx, late); err != nil {
			return err
		}
		if len(ids) < rewalkPage {
			r.shard, err = r.Shards.Walked(ctx, r.shard, true)
			return err
		}
		after = ids[len(ids)-1]
	}
}

// claimAll takes subscribers into batches and sends those.
func (r *run) claimAll(ctx context.Context, ids []string) error {
	for len(ids) > 0 {
		if err := r.ready(); err != nil {
			return err
		}
		size, err := r.size(ctx)
		if err != nil {
			return err
		}
		n := min(size, len(ids))
		if err := r.claim(ctx, ids[:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// claimedIDs reads the IDs of the first walk's batches, which are in order, as a stream beside the index.
type claimedIDs struct {
	*run
	batch int64 // next to read
	ids   []string
}

// has reports whether the first walk claimed an ID. It is asked in ascending order.
func (c *claimedIDs) has(ctx context.Context, id string) (bool, error) {
	for {
		for len(c.ids) > 0 && c.ids[0] < id {
			c.ids = c.ids[1:]
		}
		if len(c.ids) > 0 {
			return c.ids[0] == id, nil
		}
		if c.batch >= c.shard.WalkEnd {
			return false, nil
		}
		ids, next, err := c.Claims.Claimed(ctx, c.shard, c.batch, rewalkPage)
		if err != nil {
			return false, err
		}
		c.ids, c.batch = ids, next
	}
}
