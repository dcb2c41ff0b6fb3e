package digest_test

import (
	"strings"
	"testing"

	"tidings/internal/article"
	"tidings/internal/digest"
	"tidings/internal/fault"
)

// titled makes a draft of one article with a title.
func (k *desk) titled(title string) digest.Digest {
	k.t.Helper()
	d, err := k.Create(k.t.Context(), digest.Change{Title: &title, Articles: &[]string{k.publish("About "+title, article.StatusPublished)}})
	if err != nil {
		k.t.Fatal(err)
	}
	return d
}

// scheduled schedules a digest and returns its slug.
func (k *desk) scheduled(id string, w digest.When) string {
	k.t.Helper()
	d, err := k.Schedule(k.t.Context(), id, nil, w)
	if err != nil {
		k.t.Fatal(err)
	}
	return d.Slug
}

func TestSlugsOfDigests(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	for _, c := range []struct {
		title string
		when  digest.When
		want  string
	}{
		{"Sleep & ketamine", later, "sleep-and-ketamine-december-2026"},
		{"Sleep & ketamine", later, "sleep-and-ketamine-december-2026-2"},
		{"December 2026", later, "december-2026"},
		{"News of DECEMBER 2026", later, "news-of-december-2026"},
		{"What we learned by November 2026", later, "what-we-learned-by-november-2026"},
		{"May 20266 be", later, "may-20266-be-december-2026"},
		{"Κεταμίνη", later, "december-2026-2"},
		// The month is the editor's: still November in Denver, and December in UTC.
		{"Late", digest.When{SendAt: "2026-11-30T23:00:00", Timezone: "America/Denver"}, "late-november-2026"},
		{"Late", digest.When{SendAt: "2026-12-01T06:00:00", Timezone: "UTC"}, "late-december-2026"},
		{"Now", digest.When{Now: true}, "now-november-2026"},
	} {
		if got := k.scheduled(k.titled(c.title).ID, c.when); got != c.want || !article.ValidSlug(got) {
			t.Errorf("%s is %s, want %s", c.title, got, c.want)
		}
	}
	if got := k.scheduled(k.titled(strings.Repeat("word ", 30)).ID, later); !article.ValidSlug(got) {
		t.Errorf("a long title is %s", got)
	}
}

// A slug belongs to a digest while it is scheduled: what becomes a draft again, or is cancelled before its hour, gives it up.
func TestSlugsAreFreeAgain(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	first, second := k.titled("News"), k.titled("News")
	const slug = "news-december-2026"
	if got := k.scheduled(first.ID, later); got != slug {
		t.Fatal(got)
	}
	if d, err := k.Update(t.Context(), first.ID, nil, digest.Change{Intro: ptr("Hello")}); err != nil || d.Slug != "" {
		t.Fatalf("%q, %v", d.Slug, err)
	}
	if got := k.scheduled(second.ID, later); got != slug {
		t.Errorf("a slug was not given up by an edit: %s", got)
	}
	if got := k.scheduled(first.ID, later); got != slug+"-2" {
		t.Errorf("two digests of one slug: %s", got)
	}
	if d, err := k.Cancel(t.Context(), second.ID, nil); err != nil || d.Slug != "" {
		t.Fatalf("%q, %v", d.Slug, err)
	}
	if got := k.scheduled(k.titled("News").ID, later); got != slug {
		t.Errorf("a slug was not given up by cancelling: %s", got)
	}
}

func TestTheEditionIsFrozen(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	d := k.draft()
	if _, err := k.Update(t.Context(), d.ID, nil, digest.Change{Intro: ptr("One.\n\nTwo.")}); err != nil {
		t.Fatal(err)
	}
	slug := k.scheduled(d.ID, later)
	const page = "https://news.example.org/digests/news-december-2026"
	if p, err := k.Preview(t.Context(), d.ID); err != nil || !strings.HasSuffix(page, slug) || !strings.Contains(p.HTML, `href="`+page+`"`) || !strings.Contains(p.Text, page+"\n") {
		t.Errorf("the mail has no link to its page: %s, %v", p.Text, err)
	}
	if err := k.articles.Delete(t.Context(), "sleep", nil); err != nil {
		t.Fatal(err)
	}
	f, err := k.digests.Frozen(t.Context(), d.ID)
	if err != nil || f.Edition.Intro != "One.\n\nTwo." || len(f.Edition.Articles) != 1 || f.Edition.Articles[0].Title != "Sleep" || f.Edition.Articles[0].Slug != "sleep" {
		t.Errorf("%+v, %v", f.Edition, err)
	}
	other := f
	other.Edition.Intro += "!"
	if other.Sum() == f.Sum() {
		t.Error("the hash does not cover the edition")
	}
	_, err = k.digests.Issue(t.Context(), slug)
	wants(t, "an issue before its hour", err, fault.NotFound)
}

func TestDigestsThatAreOut(t *testing.T) {
	t.Parallel()
	for status, want := range map[digest.Status]bool{
		digest.Draft: false, digest.Scheduled: false, digest.Sending: true, digest.Waiting: true, digest.Paused: true, digest.Sent: true,
		digest.Cancelled: false, digest.Failed: false,
	} {
		if status.Out() != want {
			t.Errorf("%s: %v", status, status.Out())
		}
	}
}
