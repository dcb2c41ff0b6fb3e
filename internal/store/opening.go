package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/table"
)

// Deliveries is a digest as its delivery sees it: at DIG#<id>/A, from its start on, "topics" are its content's, "canary" stands
// while only the first batch may be sent, "closed" when a cancelled digest's ledger is complete, and "baseline" is the
// progress it was last resumed at. It implements delivery.Digests,
// delivery.Opener and delivery.Turns.
type Deliveries struct {
	Digests Digests
	Ledger  Ledger
}

// Control implements delivery.Digests.
func (s Deliveries) Control(ctx context.Context, id string) (delivery.Control, error) {
	item, err := s.Digests.Table.Get(ctx, digestKey(id))
	if errors.Is(err, table.ErrNotFound) {
		return delivery.Control{}, noDigest()
	}
	if err != nil {
		return delivery.Control{}, fmt.Errorf("read control of digest %s: %w", id, err)
	}
	c := delivery.Control{Status: digest.Status(str(item, "status")), Version: num(item, "version"), SendAt: milli(item, "sendAt")}
	topics, _ := item["topics"].(table.StringSet)
	c.Topics = topics
	c.Canary, _ = item["canary"].(bool)
	closed, _ := item["closed"].(bool)
	c.Closed = closed || item["started"] == nil
	if doc, ok := item["baseline"].([]byte); ok {
		if err := json.Unmarshal(doc, &c.Baseline); err != nil {
			return c, fmt.Errorf("decode baseline of digest %s: %w", id, err)
		}
	}
	return c, nil
}

// Content implements delivery.Digests.
func (s Deliveries) Content(ctx context.Context, id string) (delivery.Content, error) {
	f, err := s.Digests.Frozen(ctx, id)
	return delivery.Content{Subject: f.Subject, HTML: f.HTML, Text: f.Text}, err
}

// PassCanary implements delivery.Digests.
func (s Deliveries) PassCanary(ctx context.Context, id string) error {
	_, err := s.Digests.Table.Write(ctx, table.Update(digestKey(id), table.Remove("canary")).When(table.Exists(table.PK)))
	if err != nil {
		return fmt.Errorf("pass canary of digest %s: %w", id, err)
	}
	return nil
}

// Move implements delivery.Digests. A write that was retried and meets its own effect is one that changes nothing. A digest
// becomes one that is being sent by Open alone.
func (s Deliveries) Move(ctx context.Context, id string, to digest.Status, reason string) error {
	op := s.Digests.MoveOp(id, to, reason)
	if to == digest.Sending {
		op = op.When(table.Exists("started"))
	}
	_, err := s.Digests.Table.Write(ctx, op)
	met, refused := table.Refused(err, 0)
	if err != nil && !refused {
		return fmt.Errorf("move digest %s to %s: %w", id, to, err)
	}
	if to != digest.Sent || str(met, "status") != string(digest.Cancelled) {
		return nil
	}
	_, err = s.Digests.Table.Write(ctx, table.Update(digestKey(id), table.Set("closed", true)).
		When(table.Eq("status", string(digest.Cancelled))))
	if _, refused := table.Refused(err, 0); err != nil && !refused {
		return fmt.Errorf("close cancelled digest %s: %w", id, err)
	}
	return nil
}

// Open implements delivery.Opener, in one transaction of at most 66 operations.
func (s Deliveries) Open(ctx context.Context, id string, version int64, canary bool, shards []delivery.Shard) error {
	d, err := s.Digests.Get(ctx, id)
	if err != nil {
		return err
	}
	if d.Version != version {
		return fmt.Errorf("open digest %s of version %d: %w", id, version, delivery.ErrLost)
	}
	f, err := s.Digests.Frozen(ctx, id)
	if err != nil {
		return err
	}
	if f.Hash != d.ContentHash {
		return fmt.Errorf("open digest %s of version %d: %w", id, version, delivery.ErrLost)
	}
	more := []table.Action{table.Set("canary", canary)}
	if len(f.Topics) > 0 {
		more = append(more, table.Set("topics", table.StringSet(f.Topics)))
	}
	_, err = s.Digests.Table.Write(ctx, append(s.Digests.StartOps(d, more...), s.Ledger.PlanOps(shards)...)...)
	if _, refused := errors.AsType[*table.RefusedError](err); refused {
		err = delivery.ErrLost
	}
	if err != nil {
		return fmt.Errorf("open digest %s of version %d: %w", id, version, err)
	}
	return nil
}
