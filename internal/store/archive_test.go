package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/store"
	"tidings/internal/table"
)

// move puts a digest through statuses, as its delivery does.
func move(t *testing.T, s store.Digests, d digest.Digest, statuses ...digest.Status) {
	t.Helper()
	for _, to := range statuses {
		ops := []table.Op{s.MoveOp(d.ID, to, "")}
		if to == digest.Sending {
			ops = s.StartOps(d)
		}
		if _, err := s.Table.Write(t.Context(), ops...); err != nil {
			t.Fatalf("%s to %s: %v", d.ID, to, err)
		}
	}
}

// issues returns the slugs of the archive, page by page.
func issues(t *testing.T, s store.Digests, limit int) string {
	t.Helper()
	var got []string
	for cursor := ""; ; {
		l, err := s.Issues(t.Context(), cursor, limit)
		if err != nil || len(l.Items) > limit {
			t.Fatal(len(l.Items), err)
		}
		for _, c := range l.Items {
			got = append(got, c.Slug)
		}
		if cursor = l.Next; cursor == "" {
			return strings.Join(got, " ")
		}
	}
}

func TestTheArchiveFollowsTheStatus(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	if got := issues(t, s, 20); got != "" {
		t.Errorf("an empty archive has %s", got)
	}
	d := scheduled(t, s, "d")
	for _, c := range []struct {
		to           digest.Status
		read, listed bool
	}{
		{digest.Scheduled, false, false}, {digest.Sending, true, false}, {digest.Paused, true, false}, {digest.Sending, true, false},
		{digest.Waiting, true, false}, {digest.Sent, true, true},
	} {
		switch {
		case c.to == digest.Sending && d.StartedAt.IsZero():
			move(t, s, d, c.to)
			d.StartedAt = digestNow
		case c.to != digest.Scheduled:
			if _, err := s.Table.Write(t.Context(), s.MoveOp("d", c.to, "")); err != nil {
				t.Fatal(err)
			}
		}
		issue, err := s.Issue(t.Context(), "news-d")
		if c.read != (err == nil) || err != nil && !fault.Is(err, fault.NotFound) || issue.Listed != c.listed {
			t.Errorf("%s: %+v, %v", c.to, issue, err)
		}
		if got := issues(t, s, 20); (got == "news-d") != c.listed {
			t.Errorf("%s: the archive has %q", c.to, got)
		}
	}
	issue, err := s.Issue(t.Context(), "news-d")
	if err != nil || issue.Title != "News" || issue.Summary != "" || !issue.SentAt.Equal(digestNow.Truncate(time.Second)) || issue.UpdatedAt.IsZero() {
		t.Errorf("%+v, %v", issue, err)
	}
	if got, want := issue.Day.Format(time.DateTime), digestNow.Format(time.DateTime); got != want { // without a zone it is UTC
		t.Errorf("day %s, want %s", got, want)
	}
	for _, slug := range []string{"", "news", "D", "../d", strings.Repeat("a", 3000)} {
		_, err := s.Issue(t.Context(), slug)
		wantArticleFault(t, err, fault.NotFound)
	}
}

// Pages are full though some digests were never sent, and each reader sees each issue once.
func TestPagesOfTheArchive(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	for n := range 12 {
		d := scheduled(t, s, fmt.Sprintf("d%02d", n))
		switch n % 4 {
		case 0:
			move(t, s, d, digest.Sending, digest.Sent)
		case 1:
			move(t, s, d, digest.Sending, digest.Cancelled)
		case 2:
			move(t, s, d, digest.Failed)
		}
	}
	const want = "news-d08 news-d04 news-d00"
	for _, limit := range []int{1, 2, 3, 20} {
		if got := issues(t, s, limit); got != want {
			t.Errorf("by %d: %s, want %s", limit, got, want)
		}
	}
	if l, err := s.Issues(t.Context(), "", 2); err != nil || len(l.Items) != 2 || l.Next == "" {
		t.Errorf("a page of 2: %+v, %v", l, err)
	}
	_, err := s.Issues(t.Context(), "x", 2)
	wantArticleFault(t, err, fault.Invalid)
	for _, slug := range []string{"news-d01", "news-d02", "news-d03"} { // cancelled on the way, failed, scheduled
		_, err := s.Issue(t.Context(), slug)
		wantArticleFault(t, err, fault.NotFound)
	}
}

func TestASlugIsOneDigests(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	d := scheduled(t, s, "d")
	other := digest.Digest{ID: "e", Title: "News", Articles: []string{"a"}, Status: digest.Draft, Rev: 1, CreatedAt: digestNow}
	if err := s.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	other.Status, other.Version, other.Slug, other.Rev = digest.Scheduled, 1, d.Slug, 2
	if err := s.Schedule(t.Context(), other, 1, digest.Frozen{}); !errors.Is(err, digest.ErrMoved) {
		t.Errorf("two digests took one slug: %v", err)
	}
	if got, err := s.FreeSlug(t.Context(), d.Slug); err != nil || got != "news-d-2" {
		t.Errorf("%s, %v", got, err)
	}
	// A save that loses frees nothing.
	draft := d
	draft.Status, draft.Slug, draft.Rev = digest.Draft, "", 3
	if err := s.Save(t.Context(), draft, digest.Digest{Rev: 1, Slug: d.Slug}); !errors.Is(err, digest.ErrMoved) {
		t.Error(err)
	}
	if got, err := s.FreeSlug(t.Context(), d.Slug); err != nil || got != "news-d-2" {
		t.Errorf("%s, %v", got, err)
	}
	if err := s.Save(t.Context(), draft, d); err != nil {
		t.Fatal(err)
	}
	if got, err := s.FreeSlug(t.Context(), d.Slug); err != nil || got != d.Slug {
		t.Errorf("%s, %v", got, err)
	}
}

// A name whose digest has another by now, or is gone, leads nowhere: what an index that lags still shows is not listed.
func TestNamesThatLeadNowhere(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	d := scheduled(t, s, "d")
	move(t, s, d, digest.Sending, digest.Sent)
	for slug, id := range map[string]string{"old": "d", "gone": "none"} {
		card := []byte(`{"digest":"` + id + `"}`)
		if _, err := s.Table.Write(t.Context(), table.Put(table.Item{"pk": "ARC#" + slug, "sk": "A", "lpk": "ARC", "lsk": "2026#" + slug, "card": card})); err != nil {
			t.Fatal(err)
		}
		_, err := s.Issue(t.Context(), slug)
		wantArticleFault(t, err, fault.NotFound)
	}
	if got := issues(t, s, 20); got != "news-d" {
		t.Errorf("the archive has %s", got)
	}
	if _, err := s.Table.Write(t.Context(), table.Put(table.Item{"pk": "ARC#broken", "sk": "A", "lpk": "ARC", "lsk": "2025#", "card": []byte("{")})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Issue(t.Context(), "broken"); err == nil || fault.CodeOf(err) != "" {
		t.Error(err)
	}
	if _, err := s.Issues(t.Context(), "", 20); err == nil {
		t.Error("a broken name is listed")
	}
}
