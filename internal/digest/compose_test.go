package digest_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/article"
	"tidings/internal/digest"
)

func (k *desk) compose() (digest.Digest, bool) {
	k.t.Helper()
	d, drafted, err := digest.Composition{Service: k.Service, Published: k.articles}.Run(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	return d, drafted
}

func TestComposeMonthByMonth(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	if d, drafted := k.compose(); drafted || d.ID != "" || !strings.Contains(k.log.String(), "nothing was published") {
		t.Errorf("%+v, logged %s", d, k.log)
	}
	for n := range 3 {
		k.now = k.now.Add(time.Hour)
		k.publish(fmt.Sprint("Part ", n), article.StatusPublished)
	}
	k.publish("Plan", article.StatusDraft)
	k.now = time.Date(2026, 12, 1, 6, 30, 0, 0, time.UTC) // still November in Denver
	november, drafted := k.compose()
	if !drafted || november.Title != "November 2026" || strings.Join(november.Articles, " ") != "part-2 part-1 part-0" || november.Status != digest.Draft {
		t.Fatalf("%+v", november)
	}
	if again, drafted := k.compose(); drafted || again.ID != november.ID {
		t.Errorf("drafted twice: %+v", again)
	}
	k.now = time.Date(2026, 12, 1, 16, 0, 0, 0, time.UTC)
	if d, drafted := k.compose(); drafted {
		t.Errorf("nothing new, but drafted %+v", d)
	}
	// An imported article keeps its source's date, and is new all the same once it is published.
	old := article.Draft{Title: "Old", Body: "x", PublishedAt: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
	a, _, err := k.articles.Create(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	if _, drafted := k.compose(); drafted {
		t.Error("drafted of a draft")
	}
	k.now = k.now.Add(time.Hour)
	if _, err := k.articles.Update(t.Context(), a.Slug, nil, article.Change{Status: ptr(article.StatusPublished)}); err != nil {
		t.Fatal(err)
	}
	// One that was in a digest is not new when it is changed.
	if _, err := k.articles.Update(t.Context(), "part-1", nil, article.Change{Title: ptr("Part one")}); err != nil {
		t.Fatal(err)
	}
	december, drafted := k.compose()
	if !drafted || december.Title != "December 2026" || strings.Join(december.Articles, " ") != "old" || december.ID <= november.ID {
		t.Errorf("%+v", december)
	}
	if l, err := k.List(t.Context(), "", 10); err != nil || len(l.Items) != 2 || l.Items[0].ID != december.ID {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestComposeAfterACancelledDigest(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	d := k.draft()
	if _, err := k.Schedule(t.Context(), d.ID, nil, later); err != nil {
		t.Fatal(err)
	}
	if got, drafted := k.compose(); drafted {
		t.Errorf("its article is in a digest, but drafted %+v", got)
	}
	if _, err := k.Cancel(t.Context(), d.ID, nil); err != nil {
		t.Fatal(err)
	}
	if got, drafted := k.compose(); !drafted || strings.Join(got.Articles, " ") != "sleep" {
		t.Errorf("nobody got it, but drafted %v: %+v", drafted, got)
	}
}

func TestComposeIsBounded(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	for n := range 103 { // more than a page
		k.now = k.now.Add(time.Minute)
		k.publish(fmt.Sprint("Part ", n), article.StatusPublished)
	}
	d, drafted := k.compose()
	if !drafted || len(d.Articles) != digest.MaxArticles || d.Articles[0] != "part-102" {
		t.Errorf("%+v", d)
	}
}

func TestComposeTwins(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	k.publish("Sleep", article.StatusPublished)
	var wg sync.WaitGroup
	var mu sync.Mutex
	drafts, ids := 0, map[string]bool{}
	for range 4 {
		wg.Go(func() {
			d, drafted, err := digest.Composition{Service: k.Service, Published: k.articles}.Run(t.Context())
			mu.Lock()
			defer mu.Unlock()
			if ids[d.ID] = true; drafted {
				drafts++
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if drafts != 1 || len(ids) != 1 {
		t.Errorf("%d drafted, IDs %v", drafts, ids)
	}
}

func TestComposeHeals(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	d := k.draft()
	k.alarms.fail = errors.New("scheduler is down")
	if _, err := k.Schedule(t.Context(), d.ID, nil, later); err == nil {
		t.Fatal("scheduled without an alarm")
	}
	k.alarms.fail = nil
	k.compose()
	if len(k.alarms.set) != 1 {
		t.Errorf("alarms %v", k.alarms.set)
	}
	k.Zone = "Mars/Base"
	if _, _, err := (digest.Composition{Service: k.Service, Published: k.articles}).Run(t.Context()); err == nil {
		t.Error("composed in an unknown zone")
	}
}
