package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tidings/internal/article"
	"tidings/internal/audience"
	"tidings/internal/store"
)

func TestTopicNames(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	s := store.Articles{Table: newEngine(t), Now: func() time.Time { return now }}
	names := func() []string {
		t.Helper()
		all, err := s.TopicNames(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if got := names(); len(got) > 0 {
		t.Errorf("topics of no articles: %v", got)
	}
	add := func(slug string, status article.Status, topics ...string) {
		t.Helper()
		if _, _, err := s.Create(t.Context(), article.Draft{Slug: slug, Title: slug, Body: "Text.", Status: status, Topics: topics}); err != nil {
			t.Fatal(err)
		}
	}
	add("draft", article.StatusDraft, "secret")
	add("one", article.StatusPublished, "sleep", "basics")
	if got := names(); !slices.Equal(got, []string{"basics", "sleep"}) {
		t.Errorf("topics %v", got)
	}
	for n := range audience.MaxTopics {
		for i := range 2 {
			add(fmt.Sprintf("a%d-%d", n, i), article.StatusPublished, fmt.Sprintf("t%d", n))
		}
	}
	if got := names(); len(got) != audience.MaxTopics || got[0] != "t0" || slices.Contains(got, "basics") {
		t.Errorf("of many: %v", got)
	}
}
