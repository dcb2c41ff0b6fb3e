package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/table"
)

// Schedule implements digest.Contents.
func (s Digests) Schedule(ctx context.Context, d digest.Digest, rev int64, f digest.Frozen) error {
	item, err := s.digestItem(d)
	if err != nil {
		return err
	}
	doc, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode content of digest %s: %w", d.ID, err)
	}
	issue, err := issueItem(d, f)
	if err != nil {
		return err
	}
	key := contentKey(d.ID)
	_, err = s.Table.Write(ctx,
		table.Put(item).When(table.Eq("rev", rev)),
		table.Put(table.Item{table.PK: key.PK, table.SK: key.SK, "doc": doc, "hash": f.Hash}),
		table.Put(issue).When(table.Absent(table.PK)))
	return s.moved(err, item, "schedule", d.ID)
}

// Frozen implements digest.Contents. Content that does not have its hash any more is an error.
func (s Digests) Frozen(ctx context.Context, id string) (digest.Frozen, error) {
	item, err := s.Table.Get(ctx, contentKey(id))
	if errors.Is(err, table.ErrNotFound) {
		return digest.Frozen{}, fault.New(fault.NotFound, "The digest has no content that is frozen.")
	}
	if err != nil {
		return digest.Frozen{}, fmt.Errorf("get content of digest %s: %w", id, err)
	}
	return frozenOf(id, item)
}

// frozenOf reads frozen content from its item.
func frozenOf(id string, item table.Item) (digest.Frozen, error) {
	var f digest.Frozen
	raw, _ := item["doc"].([]byte)
	if err := json.Unmarshal(raw, &f); err != nil {
		return digest.Frozen{}, fmt.Errorf("decode content of digest %s: %w", id, err)
	}
	f.Hash = str(item, "hash")
	if f.Sum() != f.Hash {
		return digest.Frozen{}, fmt.Errorf("digest %s: %w", id, delivery.ErrContent)
	}
	return f, nil
}

// Arm implements digest.Contents.
func (s Digests) Arm(ctx context.Context, id string, version int64) error {
	_, err := s.Table.Write(ctx, table.Update(digestKey(id), table.Set("armed", version)).
		When(table.And(table.Exists(table.PK), table.Eq("version", version))))
	if _, refused := table.Refused(err, 0); err != nil && !refused {
		return fmt.Errorf("arm digest %s: %w", id, err)
	}
	return nil
}

// Delete implements digest.Contents.
func (s Digests) Delete(ctx context.Context, id string, rev int64) error {
	_, err := s.Table.Write(ctx, table.Delete(digestKey(id)).When(table.Eq("rev", rev)), table.Delete(contentKey(id)))
	return s.moved(err, nil, "delete", id)
}

// StartOps returns the two operations, of a transaction of the caller's, that turn a scheduled digest into a sending one:
// the first changes its status, if it still has the status, version and content hash that d was read with, the second
// demands that the frozen content have the hash. More actions on the digest's item go into the first.
func (s Digests) StartOps(d digest.Digest, more ...table.Action) []table.Op {
	now := s.Now().UnixMilli()
	actions := append([]table.Action{table.Set("status", string(digest.Sending)), table.Remove("reason"), table.Add("rev", 1),
		table.SetIfAbsent("started", now), table.Set("updated", now)}, more...)
	return []table.Op{
		table.Update(digestKey(d.ID), actions...).
			When(table.And(table.Eq("status", string(digest.Scheduled)), table.Eq("version", d.Version), table.Eq("hash", d.ContentHash))),
		table.Check(contentKey(d.ID), table.Eq("hash", d.ContentHash)),
	}
}

// MoveOp returns the operation that changes a digest's status, if it has one from which that may follow. The reason is a
// sentence for editors and may be empty.
func (s Digests) MoveOp(id string, to digest.Status, reason string) table.Op {
	now := s.Now().UnixMilli()
	actions := []table.Action{table.Set("status", string(to)), table.Add("rev", 1), table.Set("updated", now)}
	if reason != "" {
		actions = append(actions, table.Set("reason", reason))
	} else {
		actions = append(actions, table.Remove("reason"))
	}
	if to.Ended() {
		actions = append(actions, table.Set("ended", now))
	}
	var from []table.Cond
	for _, f := range to.Sources() {
		from = append(from, table.Eq("status", string(f)))
	}
	return table.Update(digestKey(id), actions...).When(table.Or(from...))
}

func testKey(id string) table.Key { return table.Key{PK: "TEST#" + id, SK: "A"} }

// testDoc is a test mail as it is kept.
type testDoc struct {
	Digest  string         `json:"digest"`
	To      []string       `json:"to"`
	Content digest.Content `json:"content"`
}

// SaveTest implements digest.Tests.
func (s Digests) SaveTest(ctx context.Context, m digest.TestMail) error {
	doc, err := json.Marshal(testDoc{m.Digest, m.To, m.Content})
	if err != nil {
		return fmt.Errorf("encode test mail %s: %w", m.ID, err)
	}
	key := testKey(m.ID)
	if _, err := s.Table.Write(ctx, table.Put(table.Item{
		table.PK: key.PK, table.SK: key.SK, "doc": doc, table.TTL: m.Expires.Unix(),
	})); err != nil {
		return fmt.Errorf("save test mail %s: %w", m.ID, err)
	}
	return nil
}

// Test returns a test mail that waits to be sent, or fault.NotFound when it was sent or has expired.
func (s Digests) Test(ctx context.Context, id string) (digest.TestMail, error) {
	item, err := s.Table.Get(ctx, testKey(id))
	if errors.Is(err, table.ErrNotFound) || err == nil && expired(item, s.Now()) {
		return digest.TestMail{}, fault.New(fault.NotFound, "There is no such test mail.")
	}
	if err != nil {
		return digest.TestMail{}, fmt.Errorf("get test mail %s: %w", id, err)
	}
	var doc testDoc
	raw, _ := item["doc"].([]byte)
	if err := json.Unmarshal(raw, &doc); err != nil {
		return digest.TestMail{}, fmt.Errorf("decode test mail %s: %w", id, err)
	}
	return digest.TestMail{ID: id, Digest: doc.Digest, To: doc.To, Content: doc.Content, Expires: time.Unix(num(item, table.TTL), 0).UTC()}, nil
}

// DeleteTest removes a test mail with its addresses, once it is sent.
func (s Digests) DeleteTest(ctx context.Context, id string) error {
	if _, err := s.Table.Write(ctx, table.Delete(testKey(id))); err != nil {
		return fmt.Errorf("delete test mail %s: %w", id, err)
	}
	return nil
}
