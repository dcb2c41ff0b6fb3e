package store_test

import (
	"fmt"
	"strings"
	"testing"

	"tidings/internal/article"
	"tidings/internal/fault"
	"tidings/internal/store"
	"tidings/internal/table"
)

// topicSlugs returns the articles of a topic, page by page.
func topicSlugs(t *testing.T, s store.Articles, topic string, limit int) string {
	t.Helper()
	var got []string
	for cursor := ""; ; {
		l, err := s.Topic(t.Context(), topic, cursor, limit)
		if err != nil || len(l.Items) > limit {
			t.Fatalf("%d of %s, %v", len(l.Items), topic, err)
		}
		for _, c := range l.Items {
			got = append(got, c.Slug)
		}
		if cursor = l.Next; cursor == "" {
			return strings.Join(got, " ")
		}
	}
}

func TestTopicsFollowTheirArticles(t *testing.T) {
	t.Parallel()
	s := newArticles(t)
	want := func(step, sleep, mood string) {
		t.Helper()
		if a, b := topicSlugs(t, s, "sleep", 1), topicSlugs(t, s, "mood", 10); a != sleep || b != mood {
			t.Errorf("%s: sleep has %q, want %q; mood has %q, want %q", step, a, sleep, b, mood)
		}
	}
	change := func(slug string, c article.Change) {
		t.Helper()
		if _, err := s.Update(t.Context(), slug, nil, c); err != nil {
			t.Fatal(err)
		}
	}
	published, draft := article.StatusPublished, article.StatusDraft
	createArticle(t, s, article.Draft{Title: "One", Topics: []string{"Sleep"}, Status: published})
	createArticle(t, s, article.Draft{Title: "Two", Topics: []string{"Sleep", "Mood"}})
	want("a draft is not listed", "one", "")
	change("two", article.Change{Status: &published})
	want("published", "two one", "two")
	change("two", article.Change{Topics: &[]string{"mood", "light"}})
	want("another topic", "one", "two")
	title := "Two, again"
	change("two", article.Change{Title: &title})
	if l, err := s.Topic(t.Context(), "mood", "", 10); err != nil || l.Items[0].Title != title {
		t.Errorf("the topic's card after a change: %+v, %v", l, err)
	}
	change("one", article.Change{Status: &draft})
	want("a draft again", "", "two")
	if err := s.Delete(t.Context(), "two", nil); err != nil {
		t.Fatal(err)
	}
	want("deleted", "", "")
	if got := topicSlugs(t, s, "light", 10); got != "" {
		t.Errorf("a deleted article is listed under light: %s", got)
	}
	for _, topic := range []string{"", "Sleep", "no such", strings.Repeat("x", 3000)} {
		if got := topicSlugs(t, s, topic, 10); got != "" {
			t.Errorf("topic %.20q has %s", topic, got)
		}
	}
}

// Readers who page while articles arrive see each older one once.
func TestPagesAreStableWhileArticlesArrive(t *testing.T) {
	t.Parallel()
	s := newArticles(t)
	add := func(n int) {
		createArticle(t, s, article.Draft{Title: fmt.Sprint("Part ", n), Topics: []string{"sleep"}, Status: article.StatusPublished})
	}
	for n := range 5 {
		add(n)
	}
	for name, list := range map[string]func(cursor string) (article.List, error){
		"articles": func(c string) (article.List, error) { return s.List(t.Context(), article.StatusPublished, c, 2) },
		"topic":    func(c string) (article.List, error) { return s.Topic(t.Context(), "sleep", c, 2) },
	} {
		first, err := list("")
		if err != nil {
			t.Fatal(err)
		}
		newest := first.Items[0].Slug
		got := []string{newest, first.Items[1].Slug}
		for n, cursor := 10, first.Next; cursor != ""; n++ {
			add(len(name)*100 + n)
			l, err := list(cursor)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range l.Items {
				got = append(got, c.Slug)
			}
			cursor = l.Next
		}
		if joined := strings.Join(got, " "); !strings.HasSuffix(joined, "part-3 part-2 part-1 part-0") && name == "articles" || strings.Count(joined, "part-0") != 1 {
			t.Errorf("%s: %s", name, joined)
		}
	}
	// A topic's cursor belongs to no other list.
	l, err := s.Topic(t.Context(), "sleep", "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{"mood", "other"} {
		_, err := s.Topic(t.Context(), topic, l.Next, 1)
		wantArticleFault(t, err, fault.Invalid)
	}
	_, err = s.List(t.Context(), article.StatusPublished, l.Next, 1)
	wantArticleFault(t, err, fault.Invalid)
}

// What visitors ask for is read at once: an article by one read, a page of a list by one query.
func TestPublicReadsAreOne(t *testing.T) {
	t.Parallel()
	s := newArticles(t)
	createArticle(t, s, article.Draft{Title: "One", Topics: []string{"sleep"}, Status: article.StatusPublished})
	counter := &table.Counter{Table: s.Table}
	s.Table = counter
	for name, read := range map[string]func() error{
		"get":   func() error { _, err := s.Get(t.Context(), "one"); return err },
		"list":  func() error { _, err := s.List(t.Context(), article.StatusPublished, "", 20); return err },
		"topic": func() error { _, err := s.Topic(t.Context(), "sleep", "", 20); return err },
	} {
		counter.Reset()
		if err := read(); err != nil {
			t.Fatal(err)
		}
		if u := counter.Units().Total(); u.Calls != 1 {
			t.Errorf("%s: %+v", name, u)
		}
	}
}
