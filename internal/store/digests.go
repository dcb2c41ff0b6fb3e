package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/table"
)

// Digests keeps digests: at DIG#<id> the item A is the digest, C the content that is frozen while it is scheduled or
// later, and ARC#<slug>/A is its name in the archive (archive.go). What decides over writes (status, version, rev, hash) are attributes of A, the words are a document. In the List index
// digests stand by ID, and so by age; lists read the digests themselves, consistently. Test mails are at TEST#<id>/A, with
// a ttl. It implements digest.Digests, digest.Contents and digest.Tests.
type Digests struct {
	Table table.Table
	Now   func() time.Time
	// NewID makes the tokens by which a write that was retried knows its own effect.
	NewID func() string
}

// digestList is the partition of the List index that holds all digests.
const digestList = "DIG"

func digestKey(id string) table.Key  { return table.Key{PK: "DIG#" + id, SK: "A"} }
func contentKey(id string) table.Key { return table.Key{PK: "DIG#" + id, SK: "C"} }

// digestDoc is the part of a digest that no condition looks at.
type digestDoc struct {
	Title     string    `json:"title"`
	Subject   string    `json:"subject,omitempty"`
	Preheader string    `json:"preheader,omitempty"`
	Intro     string    `json:"intro,omitempty"`
	Articles  []string  `json:"articles"`
	CreatedAt time.Time `json:"createdAt"`
}

// digestItem is a digest as it is kept.
func (s Digests) digestItem(d digest.Digest) (table.Item, error) {
	doc, err := json.Marshal(digestDoc{d.Title, d.Subject, d.Preheader, d.Intro, d.Articles, d.CreatedAt})
	if err != nil {
		return nil, fmt.Errorf("encode digest %s: %w", d.ID, err)
	}
	key := digestKey(d.ID)
	item := table.Item{
		table.PK: key.PK, table.SK: key.SK, "lpk": digestList, "lsk": d.ID,
		"doc": doc, "status": string(d.Status), "version": d.Version, "armed": d.Armed, "rev": d.Rev,
		"updated": d.UpdatedAt.UnixMilli(), "token": s.NewID(),
	}
	for name, v := range map[string]string{"reason": d.Reason, "slug": d.Slug, "hash": d.ContentHash, "zone": d.Timezone} {
		if v != "" {
			item[name] = v
		}
	}
	for name, t := range map[string]time.Time{"sendAt": d.SendAt, "started": d.StartedAt, "ended": d.EndedAt} {
		if !t.IsZero() {
			item[name] = t.UnixMilli()
		}
	}
	return item, nil
}

func digestOf(id string, item table.Item) (digest.Digest, error) {
	var doc digestDoc
	raw, _ := item["doc"].([]byte)
	if err := json.Unmarshal(raw, &doc); err != nil {
		return digest.Digest{}, fmt.Errorf("decode digest %s: %w", id, err)
	}
	return digest.Digest{
		ID: id, Title: doc.Title, Subject: doc.Subject, Preheader: doc.Preheader, Intro: doc.Intro, Articles: doc.Articles,
		Status: digest.Status(str(item, "status")), Reason: str(item, "reason"),
		SendAt: milli(item, "sendAt"), Timezone: str(item, "zone"),
		Version: num(item, "version"), Armed: num(item, "armed"), ContentHash: str(item, "hash"), Slug: str(item, "slug"),
		Rev: num(item, "rev"), CreatedAt: doc.CreatedAt, UpdatedAt: milli(item, "updated"),
		StartedAt: milli(item, "started"), EndedAt: milli(item, "ended"),
	}, nil
}

// ours reports whether a write succeeded after all: the item that a refused operation met carries the token of the one that
// was to be written, so that it was refused by its own earlier success.
func ours(err error, item table.Item) bool {
	met, refused := table.Refused(err, 0)
	return refused && met != nil && str(met, "token") == str(item, "token")
}

// Create implements digest.Digests.
func (s Digests) Create(ctx context.Context, d digest.Digest) error {
	item, err := s.digestItem(d)
	if err != nil {
		return err
	}
	_, err = s.Table.Write(ctx, table.Put(item).When(table.Absent(table.PK)))
	return s.moved(err, item, "create", d.ID)
}

// Get implements digest.Digests.
func (s Digests) Get(ctx context.Context, id string) (digest.Digest, error) {
	if !digest.ValidID(id) {
		return digest.Digest{}, noDigest()
	}
	item, err := s.Table.Get(ctx, digestKey(id))
	if errors.Is(err, table.ErrNotFound) {
		return digest.Digest{}, noDigest()
	}
	if err != nil {
		return digest.Digest{}, fmt.Errorf("get digest %s: %w", id, err)
	}
	return digestOf(id, item)
}

func noDigest() error { return fault.New(fault.NotFound, "There is no such digest.") }

// List implements digest.Digests. A limit of at most table.MaxBatchGet is one query and one read.
func (s Digests) List(ctx context.Context, cursor string, limit int) (digest.List, error) {
	page, err := s.Table.Query(ctx, table.Query{
		Index: table.List, Partition: digestList, Limit: min(limit, table.MaxBatchGet), Cursor: cursor, Descending: true,
	})
	if errors.Is(err, table.ErrCursor) {
		return digest.List{}, fault.Field(fault.Invalid, "cursor", "This cursor is not one of this list.")
	}
	if err != nil {
		return digest.List{}, fmt.Errorf("list digests: %w", err)
	}
	list := digest.List{Items: []digest.Digest{}, Next: page.Cursor}
	keys := make([]table.Key, len(page.Items))
	for i, item := range page.Items {
		keys[i] = digestKey(str(item, "lsk"))
	}
	if len(keys) == 0 {
		return list, nil
	}
	items, err := s.Table.BatchGet(ctx, keys)
	if err != nil {
		return digest.List{}, fmt.Errorf("read listed digests: %w", err)
	}
	for i, key := range keys {
		if items[key] == nil { // deleted; the index lags
			continue
		}
		d, err := digestOf(str(page.Items[i], "lsk"), items[key])
		if err != nil {
			return digest.List{}, err
		}
		list.Items = append(list.Items, d)
	}
	return list, nil
}

// Save implements digest.Digests.
func (s Digests) Save(ctx context.Context, d, old digest.Digest) error {
	item, err := s.digestItem(d)
	if err != nil {
		return err
	}
	ops := []table.Op{table.Put(item).When(table.Eq("rev", old.Rev))}
	if old.Slug != "" && old.Slug != d.Slug {
		ops = append(ops, table.Delete(issueKey(old.Slug)))
	}
	_, err = s.Table.Write(ctx, ops...)
	return s.moved(err, item, "save", d.ID)
}

// moved turns a refusal into digest.ErrMoved, except one by the write's own success, and wraps other errors.
func (s Digests) moved(err error, item table.Item, op, id string) error {
	if err == nil || ours(err, item) {
		return nil
	}
	if _, refused := errors.AsType[*table.RefusedError](err); refused {
		err = digest.ErrMoved
	}
	return fmt.Errorf("%s digest %s: %w", op, id, err)
}
