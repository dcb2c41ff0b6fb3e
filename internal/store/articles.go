package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/internal/article"
	"tidings/internal/fault"
	"tidings/internal/table"
)

// Articles keeps articles, an item each at ART#<slug>/A. An article that was imported has a second item, SRC#<hash of
// its source>/A, which names its slug and makes importing idempotent. In the List index published articles sort by
// their date, drafts by their last change. A published article has an item more for each of its topics (articletopics.go).
type Articles struct {
	Table table.Table
	Now   func() time.Time
}

// maxSlugs bounds the search for a free slug: so many articles of one title are a mistake in a loop.
const maxSlugs = 100

// maxRaces bounds how often a change that someone else's overtook is tried again.
const maxRaces = 8

// Create makes an article of the draft and keeps it, under the next free slug when the one made from its title is taken; one
// that the draft names is a fault.Conflict then. A draft whose source is known already changes nothing: the article of
// that source comes back, and created is false.
func (s Articles) Create(ctx context.Context, d article.Draft) (a article.Article, created bool, err error) {
	if a, err = article.New(d, s.Now()); err != nil {
		return article.Article{}, false, err
	}
	slug := a.Slug
	for n := 1; n <= maxSlugs; n++ {
		a.Slug = article.NthSlug(slug, n)
		item, err := articleItem(a)
		if err != nil {
			return article.Article{}, false, err
		}
		ops := []table.Op{table.Put(item).When(table.Absent(table.PK))}
		if a.Source != "" {
			marker := table.Item{table.PK: sourceKey(a.Source).PK, table.SK: "A", "slug": a.Slug}
			ops = append(ops, table.Put(marker).When(table.Absent(table.PK)))
		}
		ops = append(ops, topicOps(article.Article{}, a, item)...)
		if _, err = s.Table.Write(ctx, ops...); err == nil {
			return a, true, nil
		}
		if marker, refused := table.Refused(err, 1); refused {
			a, err := s.Get(ctx, str(marker, "slug"))
			if fault.Is(err, fault.NotFound) { // deleted just now, its marker with it
				continue
			}
			return a, false, err
		}
		if _, refused := table.Refused(err, 0); !refused {
			return article.Article{}, false, fmt.Errorf("create article %s: %w", a.Slug, err)
		}
		if d.Slug != "" && d.Source == "" { // the editor's own choice
			return article.Article{}, false, fault.Field(fault.Conflict, "slug", "Another article has this name. Choose another slug.")
		}
	}
	return article.Article{}, false, fault.Field(fault.Conflict, "slug", "Too many articles have this name. Choose another slug.")
}

// Get returns an article, or a fault.NotFound. It is one consistent read.
func (s Articles) Get(ctx context.Context, slug string) (article.Article, error) {
	if !article.ValidSlug(slug) {
		return article.Article{}, noArticle()
	}
	item, err := s.Table.Get(ctx, articleKey(slug))
	if errors.Is(err, table.ErrNotFound) {
		return article.Article{}, noArticle()
	}
	if err != nil {
		return article.Article{}, fmt.Errorf("get article %s: %w", slug, err)
	}
	return articleOf(item)
}

// Update changes an article. With revs given, the article must be at one of them, else it is a fault.Stale; without,
// the change is applied to whatever revision is there.
func (s Articles) Update(ctx context.Context, slug string, revs []int64, c article.Change) (article.Article, error) {
	for range maxRaces {
		old, err := s.at(ctx, slug, revs)
		if err != nil {
			return article.Article{}, err
		}
		a, err := old.Apply(c, s.Now())
		if err != nil {
			return article.Article{}, err
		}
		item, err := articleItem(a)
		if err != nil {
			return article.Article{}, err
		}
		_, err = s.Table.Write(ctx, append([]table.Op{table.Put(item).When(table.Eq("rev", old.Rev))}, topicOps(old, a, item)...)...)
		if err == nil {
			return a, nil
		}
		if _, refused := table.Refused(err, 0); !refused {
			return article.Article{}, fmt.Errorf("update article %s: %w", slug, err)
		}
	}
	return article.Article{}, fault.New(fault.Conflict, "Others are changing this article right now. Try again.")
}

// Delete removes an article and the mark of its source, which can then be imported anew. revs are as for Update.
func (s Articles) Delete(ctx context.Context, slug string, revs []int64) error {
	for range maxRaces {
		a, err := s.at(ctx, slug, revs)
		if err != nil {
			return err
		}
		ops := []table.Op{table.Delete(articleKey(slug)).When(table.Eq("rev", a.Rev))}
		if a.Source != "" {
			ops = append(ops, table.Delete(sourceKey(a.Source)))
		}
		ops = append(ops, topicOps(a, article.Article{}, nil)...)
		if _, err = s.Table.Write(ctx, ops...); err == nil {
			return nil
		}
		if _, refused := table.Refused(err, 0); !refused {
			return fmt.Errorf("delete article %s: %w", slug, err)
		}
	}
	return fault.New(fault.Conflict, "Others are changing this article right now. Try again.")
}

// at returns the article if it is at one of the revisions, or at any when there are none.
func (s Articles) at(ctx context.Context, slug string, revs []int64) (article.Article, error) {
	a, err := s.Get(ctx, slug)
	if err == nil && len(revs) > 0 && !slices.Contains(revs, a.Rev) {
		err = fault.New(fault.Stale, "The article was changed since you read it. Load it again.")
	}
	return a, err
}

// List returns a page of at most limit articles (1 to 100) of a status, newest first; with no status, the drafts and
// then the published ones. A cursor that no page gave out is a fault.Invalid.
func (s Articles) List(ctx context.Context, status article.Status, cursor string, limit int) (article.List, error) {
	if status != "" {
		return s.page(ctx, statusList(status), cursor, limit)
	}
	inDrafts, rest := true, cursor
	if cursor != "" {
		var part string
		part, rest, _ = strings.Cut(cursor, ".")
		if inDrafts = part == "d"; !inDrafts && part != "p" {
			return article.List{}, badCursor()
		}
	}
	out := article.List{Items: []article.Card{}}
	if inDrafts {
		drafts, err := s.page(ctx, statusList(article.StatusDraft), rest, limit)
		if err != nil {
			return article.List{}, err
		}
		if drafts.Next != "" {
			drafts.Next = "d." + drafts.Next
			return drafts, nil
		}
		out, rest = drafts, ""
	}
	published, err := s.page(ctx, statusList(article.StatusPublished), rest, max(limit-len(out.Items), 1))
	if err != nil {
		return article.List{}, err
	}
	if len(out.Items) == limit { // full of drafts: the next page starts where the published ones do, if there are any
		if len(published.Items) > 0 {
			out.Next = "p."
		}
		return out, nil
	}
	out.Items = append(out.Items, published.Items...)
	if published.Next != "" {
		out.Next = "p." + published.Next
	}
	return out, nil
}

// statusList is the partition of the List index that holds the articles of a status.
func statusList(status article.Status) string { return "ART#" + string(status) }

// page reads a page of a partition of the List index, from its end.
func (s Articles) page(ctx context.Context, partition, cursor string, limit int) (article.List, error) {
	page, err := s.Table.Query(ctx, table.Query{
		Index: table.List, Partition: partition, Limit: limit, Cursor: cursor, Descending: true,
	})
	if errors.Is(err, table.ErrCursor) {
		return article.List{}, badCursor()
	}
	if err != nil {
		return article.List{}, fmt.Errorf("list articles %s: %w", partition, err)
	}
	out := article.List{Items: make([]article.Card, len(page.Items)), Next: page.Cursor}
	for i, item := range page.Items {
		card, _ := item[table.Card].([]byte)
		if err := json.Unmarshal(card, &out.Items[i]); err != nil {
			return article.List{}, fmt.Errorf("read card of %s: %w", str(item, table.PK), err)
		}
	}
	return out, nil
}

func noArticle() error { return fault.New(fault.NotFound, "There is no article of that name.") }
func badCursor() error {
	return fault.Field(fault.Invalid, "cursor", "The cursor does not belong to this list. Start again without it.")
}

func articleKey(slug string) table.Key { return table.Key{PK: "ART#" + slug, SK: "A"} }

func sourceKey(source string) table.Key {
	sum := sha256.Sum256([]byte(source))
	return table.Key{PK: "SRC#" + hex.EncodeToString(sum[:]), SK: "A"}
}
