package digest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"tidings/internal/article"
	"tidings/internal/fault"
)

// Published lists published articles.
type Published interface {
	// List returns at most limit articles (1 to 100) of a status, newest first.
	List(ctx context.Context, status article.Status, cursor string, limit int) (article.List, error)
}

// A Composition drafts a month's digest of what was published since the last one, so that editors find it ready to be looked
// at. The month is the one that it runs in, on the list's calendar (Service.Zone). It can be run again at any time: a month's
// draft has an ID of its own, so that a repetition, and one at the same time, finds it there.
type Composition struct {
	Service   *Service
	Published Published
}

// page is how many items are read at a time.
const page = 100

// Run sets alarms that are missing (Service.Heal) and drafts the digest. drafted is false when the month has its draft already,
// and when there is nothing new, which is logged; the digest is then the draft that is there, if any.
func (c Composition) Run(ctx context.Context) (d Digest, drafted bool, err error) {
	s := c.Service
	if err := s.Heal(ctx); err != nil {
		s.Log.ErrorContext(ctx, "alarms of digests not looked after", "error", err) // no reason not to draft
	}
	loc, err := Zone(s.Zone)
	if err != nil {
		return Digest{}, false, fmt.Errorf("compose: the list's zone: %w", err)
	}
	now := s.Now().In(loc)
	id := monthID(now)
	if d, err := s.Digests.Get(ctx, id); !fault.Is(err, fault.NotFound) {
		if err == nil {
			s.Log.InfoContext(ctx, "no digest drafted: this month's is there", "digest", id)
		}
		return d, false, err
	}
	slugs, err := c.fresh(ctx)
	if err != nil {
		return Digest{}, false, fmt.Errorf("compose: %w", err)
	}
	if len(slugs) == 0 {
		s.Log.InfoContext(ctx, "no digest drafted: nothing was published since the last one")
		return Digest{}, false, nil
	}
	title := now.Format("January 2006")
	d, err = s.create(ctx, id, Change{Title: &title, Articles: &slugs})
	if errors.Is(err, ErrMoved) { // a twin was faster
		d, err = s.Digests.Get(ctx, id)
		return d, false, err
	}
	if err != nil {
		return Digest{}, false, fmt.Errorf("compose: %w", err)
	}
	s.Log.InfoContext(ctx, "digest drafted", "digest", id, "articles", len(slugs))
	return d, true, nil
}

// monthID returns the ID of a month's draft: a ULID, as all digests have, of the month's first day and its name.
func monthID(now time.Time) string {
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	sum := sha256.Sum256([]byte("tidings compose " + first.Format("2006-01")))
	return strings.ToLower(ulid.MustNew(ulid.Timestamp(first), bytes.NewReader(sum[:])).String())
}

// fresh returns the slugs of at most MaxArticles published articles, newest first, that are in no digest and were changed since the
// last one was made. Publishing is a change; the date of publication would not do, since an imported article keeps its
// source's. A digest that was called off counts for nothing: nobody got it.
func (c Composition) fresh(ctx context.Context) ([]string, error) {
	used, since, err := c.used(ctx)
	if err != nil {
		return nil, err
	}
	var slugs []string
	for cursor := ""; len(slugs) < MaxArticles; {
		l, err := c.Published.List(ctx, article.StatusPublished, cursor, page)
		if err != nil {
			return nil, fmt.Errorf("list articles: %w", err)
		}
		for _, a := range l.Items {
			if !used[a.Slug] && !a.UpdatedAt.Before(since) && len(slugs) < MaxArticles {
				slugs = append(slugs, a.Slug)
			}
		}
		if cursor = l.Next; cursor == "" {
			break
		}
	}
	return slugs, nil
}

// used returns the articles that are in digests, and when the newest of these was made; zero when there is none.
func (c Composition) used(ctx context.Context) (map[string]bool, time.Time, error) {
	used, since := map[string]bool{}, time.Time{}
	for cursor := ""; ; {
		l, err := c.Service.Digests.List(ctx, cursor, page)
		if err != nil {
			return nil, since, fmt.Errorf("list digests: %w", err)
		}
		for _, d := range l.Items {
			if d.Status == Cancelled {
				continue
			}
			if d.CreatedAt.After(since) {
				since = d.CreatedAt
			}
			for _, slug := range d.Articles {
				used[slug] = true
			}
		}
		if cursor = l.Next; cursor == "" {
			return used, since, nil
		}
	}
}
