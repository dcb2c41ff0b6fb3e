package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/article"
	"tidings/internal/fault"
	"tidings/internal/store"
)

// newArticles returns a store on an engine of its own, with a clock that moves a minute at each look.
func newArticles(t *testing.T) store.Articles {
	t.Helper()
	var mu sync.Mutex
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return store.Articles{Table: newEngine(t), Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Minute)
		return now
	}}
}

func createArticle(t *testing.T, s store.Articles, d article.Draft) article.Article {
	t.Helper()
	if d.Body == "" {
		d.Body = "Some words."
	}
	a, created, err := s.Create(context.Background(), d)
	if err != nil || !created {
		t.Fatalf("create %q: created %v, %v", d.Title, created, err)
	}
	return a
}

func wantArticleFault(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("error %v, want a fault %q", err, code)
	}
}

func TestArticleIsReadBackWhole(t *testing.T) {
	t.Parallel()
	s, ctx := newArticles(t), context.Background()
	a := createArticle(t, s, article.Draft{
		Title: "Sleep & mood", Body: "Read **this** & `{{that}}`.\n\n- one\n- two", Topics: []string{"Sleep", "Mood"}, Source: "https://example.org/a",
		Author: "A. Writer", Reviewer: "Dr. R", LastReviewed: time.Date(2025, 5, 6, 0, 0, 0, 0, time.UTC), PublishedAt: time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC),
	})
	got, err := s.Get(ctx, "sleep-and-mood")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a, got); d != "" {
		t.Errorf("read back (-wrote +read):\n%s", d)
	}
	for _, slug := range []string{"other", "", "A", "../x", strings.Repeat("a", 3000)} {
		_, err := s.Get(ctx, slug)
		wantArticleFault(t, err, fault.NotFound)
	}
}

func TestSlugsAreUnique(t *testing.T) {
	t.Parallel()
	s := newArticles(t)
	for _, want := range []string{"same", "same-2", "same-3"} {
		if a := createArticle(t, s, article.Draft{Title: "Same"}); a.Slug != want {
			t.Errorf("slug %s, want %s", a.Slug, want)
		}
	}
}

func TestImportIsIdempotentBySource(t *testing.T) {
	t.Parallel()
	s, ctx := newArticles(t), context.Background()
	d := article.Draft{Title: "One", Body: "First.", Source: "https://example.org/one"}
	first := createArticle(t, s, d)
	d.Title, d.Body = "Another title", "Second."
	again, created, err := s.Create(ctx, d)
	if err != nil || created {
		t.Fatalf("second import: created %v, %v", created, err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("second import returned another article:\n%s", diff)
	}
	if _, err := s.Get(ctx, "another-title"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the second import left an article: %v", err)
	}
	if err := s.Delete(ctx, first.Slug, nil); err != nil {
		t.Fatal(err)
	}
	if a := createArticle(t, s, d); a.Slug != "another-title" {
		t.Errorf("import after deletion: %s", a.Slug)
	}
}

func TestConcurrentImportsMakeOneArticle(t *testing.T) {
	t.Parallel()
	s := newArticles(t)
	slugs, made := make([]string, 8), make([]bool, 8)
	var wg sync.WaitGroup
	for i := range slugs {
		wg.Go(func() {
			a, created, err := s.Create(context.Background(), article.Draft{Title: "T", Body: "B", Source: "https://example.org/t"})
			if err != nil {
				t.Error(err)
			}
			slugs[i], made[i] = a.Slug, created
		})
	}
	wg.Wait()
	if n := len(slices.Compact(slugs)); n != 1 {
		t.Errorf("%d articles: %v", n, slugs)
	}
	if n := len(slices.DeleteFunc(made, func(b bool) bool { return !b })); n != 1 {
		t.Errorf("%d imports believe that they created it", n)
	}
}

func TestUpdateAndItsRevisions(t *testing.T) {
	t.Parallel()
	s, ctx := newArticles(t), context.Background()
	a := createArticle(t, s, article.Draft{Title: "One", PublishedAt: time.Date(2025, 9, 8, 0, 0, 0, 0, time.UTC)})
	b, err := s.Update(ctx, a.Slug, []int64{a.Rev}, article.Change{Status: new(article.StatusPublished)})
	if err != nil {
		t.Fatal(err)
	}
	if b.Rev != 2 || !b.PublishedAt.Equal(a.PublishedAt) || !b.UpdatedAt.After(a.UpdatedAt) || !b.CreatedAt.Equal(a.CreatedAt) {
		t.Errorf("published: %+v", b)
	}
	_, err = s.Update(ctx, a.Slug, []int64{a.Rev}, article.Change{Title: new("Late")})
	wantArticleFault(t, err, fault.Stale)
	wantArticleFault(t, s.Delete(ctx, a.Slug, []int64{1, 7}), fault.Stale)
	_, err = s.Update(ctx, "none", nil, article.Change{})
	wantArticleFault(t, err, fault.NotFound)
	wantArticleFault(t, s.Delete(ctx, "none", nil), fault.NotFound)
	_, err = s.Update(ctx, a.Slug, nil, article.Change{Title: new("")})
	wantArticleFault(t, err, fault.Invalid)
	got, err := s.Get(ctx, a.Slug)
	if err != nil || !cmp.Equal(b, got) {
		t.Errorf("refused changes left a trace: %v\n%s", err, cmp.Diff(b, got))
	}
}

func TestConcurrentUpdatesAllCount(t *testing.T) {
	t.Parallel()
	s, ctx := newArticles(t), context.Background()
	a := createArticle(t, s, article.Draft{Title: "One"})
	done := make([]bool, 5)
	var wg sync.WaitGroup
	for i := range done {
		wg.Go(func() {
			_, err := s.Update(ctx, a.Slug, nil, article.Change{Author: new(fmt.Sprint("Author ", i))})
			if err != nil && !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
			done[i] = err == nil
		})
	}
	wg.Wait()
	won := int64(0)
	for _, ok := range done {
		if ok {
			won++
		}
	}
	if got, err := s.Get(ctx, a.Slug); err != nil || won == 0 || got.Rev != 1+won {
		t.Errorf("rev %d after %d changes, %v", got.Rev, won, err)
	}
}

func TestListsAreNewestFirstAndPageStably(t *testing.T) {
	t.Parallel()
	s, ctx := newArticles(t), context.Background()
	day := func(d int) time.Time { return time.Date(2025, 1, d, 0, 0, 0, 0, time.UTC) }
	for _, d := range []int{3, 1, 5, 2, 4} {
		createArticle(t, s, article.Draft{Title: fmt.Sprint("day ", d), PublishedAt: day(d), Status: article.StatusPublished})
	}
	for _, title := range []string{"draft a", "draft b", "draft c"} {
		createArticle(t, s, article.Draft{Title: title, PublishedAt: day(9)})
	}
	published := []string{"day-5", "day-4", "day-3", "day-2", "day-1"}
	drafts := []string{"draft-c", "draft-b", "draft-a"}
	for status, want := range map[article.Status][]string{
		article.StatusPublished: published, article.StatusDraft: drafts, "": slices.Concat(drafts, published),
	} {
		for limit := 1; limit <= 9; limit++ {
			if got := slugsOf(t, s, status, limit); !slices.Equal(got, want) {
				t.Errorf("status %q by %d: %v, want %v", status, limit, got, want)
			}
		}
	}
	first, err := s.List(ctx, article.StatusPublished, "", 2)
	if err != nil {
		t.Fatal(err)
	}
	createArticle(t, s, article.Draft{Title: "day 6", PublishedAt: day(6), Status: article.StatusPublished})
	if err := s.Delete(ctx, "day-4", nil); err != nil {
		t.Fatal(err)
	}
	second, err := s.List(ctx, article.StatusPublished, first.Next, 2)
	if err != nil || len(second.Items) != 2 || second.Items[0].Slug != "day-3" {
		t.Errorf("the second page moved: %+v, %v", second, err)
	}
	for _, status := range []article.Status{article.StatusPublished, ""} {
		for _, cursor := range []string{"x", "x.y", "p.zzz", "d.%00", first.Next + "a"} {
			_, err := s.List(ctx, status, cursor, 2)
			wantArticleFault(t, err, fault.Invalid)
		}
	}
}

func slugsOf(t *testing.T, s store.Articles, status article.Status, limit int) []string {
	t.Helper()
	var out []string
	cursor := ""
	for range 50 {
		l, err := s.List(context.Background(), status, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Items) > limit || len(l.Items) == 0 && len(out) > 0 {
			t.Errorf("status %q: a page of %d with limit %d", status, len(l.Items), limit)
		}
		for _, c := range l.Items {
			out = append(out, c.Slug)
		}
		if cursor = l.Next; cursor == "" {
			return out
		}
	}
	t.Fatal(errors.New("the list does not end"))
	return nil
}

func TestLargestArticleFits(t *testing.T) {
	t.Parallel()
	s := newArticles(t)
	body := strings.Repeat("Many words in one article. ", 120*1024/27)
	createArticle(t, s, article.Draft{Title: "Large", Body: body})
	_, _, err := s.Create(context.Background(), article.Draft{Title: "Larger", Body: strings.Repeat(body, 2)[:200*1024]})
	wantArticleFault(t, err, fault.TooLarge)
}
