package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/store"
	"tidings/internal/table"
)

var digestNow = time.Date(2026, 11, 24, 12, 0, 0, 5e6, time.UTC)

func newDigests(t *testing.T) store.Digests {
	t.Helper()
	var n atomic.Int64
	return store.Digests{Table: newEngine(t), Now: func() time.Time { return digestNow }, NewID: func() string { return fmt.Sprint("id", n.Add(1)) }}
}

// aDigest is one with every field set.
func aDigest(id string) digest.Digest {
	at := digestNow.Truncate(time.Second)
	return digest.Digest{
		ID: id, Title: "News", Subject: "Read", Preheader: "Brief", Intro: "Hello", Articles: []string{"a", "b"}, Status: digest.Draft,
		Reason: "why", SendAt: digestNow, Timezone: "America/Denver", Version: 3, Armed: 2, Slug: "news", ContentHash: "h", Rev: 1,
		CreatedAt: at, UpdatedAt: at, StartedAt: digestNow, EndedAt: digestNow,
	}
}

// scheduled keeps a digest that waits for its hour, and returns it.
func scheduled(t *testing.T, s store.Digests, id string) digest.Digest {
	t.Helper()
	f := digest.Frozen{Content: digest.Content{Subject: "S", HTML: "<p>H</p>", Text: "T"}, Articles: []string{"a"}, Topics: []string{"x"}}
	f.Hash = f.Sum()
	d := digest.Digest{ID: id, Title: "News", Articles: []string{"a"}, Status: digest.Draft, Rev: 1, CreatedAt: digestNow}
	if err := s.Create(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	d.Status, d.Version, d.ContentHash, d.Slug, d.SendAt, d.Rev = digest.Scheduled, 1, f.Hash, "news-"+id, digestNow, 2
	if err := s.Schedule(t.Context(), d, 1, f); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDigestIsReadBackWhole(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	for _, d := range []digest.Digest{aDigest("full"), {ID: "bare", Title: "T", Articles: []string{}, Status: digest.Draft, Rev: 1, CreatedAt: digestNow, UpdatedAt: digestNow}} {
		if err := s.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(t.Context(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Errorf("%s (-kept +read):\n%s", d.ID, diff)
		}
		if err := s.Create(t.Context(), d); !errors.Is(err, digest.ErrMoved) {
			t.Errorf("created twice: %v", err)
		}
	}
	_, err := s.Get(t.Context(), strings.Repeat("x", 3000))
	wantArticleFault(t, err, fault.NotFound)
}

func TestDigestsByAge(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	for n := range 7 {
		if err := s.Create(t.Context(), aDigest(fmt.Sprintf("d%d", n))); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for cursor := ""; ; {
		l, err := s.List(t.Context(), cursor, 3)
		if err != nil || len(l.Items) > 3 {
			t.Fatal(len(l.Items), err)
		}
		for _, d := range l.Items {
			got = append(got, d.ID)
		}
		if cursor = l.Next; cursor == "" {
			break
		}
	}
	if want := "d6 d5 d4 d3 d2 d1 d0"; strings.Join(got, " ") != want {
		t.Errorf("listed %v, want %s", got, want)
	}
	_, err := s.List(t.Context(), "x", 3)
	wantArticleFault(t, err, fault.Invalid)
}

func TestDigestWritesNeedTheirRevision(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	d := scheduled(t, s, "d")
	for name, err := range map[string]error{
		"save":     s.Save(t.Context(), d, digest.Digest{Rev: 1}),
		"schedule": s.Schedule(t.Context(), d, 1, digest.Frozen{}),
		"delete":   s.Delete(t.Context(), d.ID, 1),
		"unknown":  s.Save(t.Context(), aDigest("none"), digest.Digest{Rev: 1}),
	} {
		if !errors.Is(err, digest.ErrMoved) {
			t.Errorf("%s of another revision: %v", name, err)
		}
	}
	if f, err := s.Frozen(t.Context(), "d"); err != nil || f.Hash != d.ContentHash || f.Text != "T" {
		t.Errorf("%+v, %v", f, err)
	}
	if err := s.Delete(t.Context(), "d", 2); err != nil {
		t.Error(err)
	}
	_, err := s.Frozen(t.Context(), "d")
	wantArticleFault(t, err, fault.NotFound)
	if err := s.Arm(t.Context(), "d", 1); err != nil {
		t.Errorf("arm what is gone: %v", err)
	}
	_, err = s.Get(t.Context(), "d")
	wantArticleFault(t, err, fault.NotFound)
}

func TestStartNeedsWhatWasScheduled(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	d := scheduled(t, s, "d")
	old, other := d, d
	old.Version, other.ContentHash = 0, strings.Repeat("0", 64)
	for name, d := range map[string]digest.Digest{"another version": old, "other content": other} {
		if _, err := s.Table.Write(t.Context(), s.StartOps(d)...); !isRefused(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Table.Write(t.Context(), s.StartOps(d)...); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(t.Context(), "d")
	if err != nil || got.Status != digest.Sending || got.Rev != 3 || !got.StartedAt.Equal(digestNow) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Table.Write(t.Context(), s.StartOps(d)...); !isRefused(err) {
		t.Errorf("started twice: %v", err)
	}
	// An editor who read it before loses.
	if err := s.Save(t.Context(), d, d); !errors.Is(err, digest.ErrMoved) {
		t.Errorf("saved over a digest that is sent: %v", err)
	}
}

func isRefused(err error) bool {
	_, refused := errors.AsType[*table.RefusedError](err)
	return refused
}

func TestMovesFollowTheLifeOfADigest(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	scheduled(t, s, "d")
	for _, c := range []struct {
		to     digest.Status
		reason string
		ok     bool
	}{
		{digest.Paused, "", false}, {digest.Sent, "", false}, {digest.Sending, "", true}, {digest.Paused, "Too many bounces.", true},
		{digest.Waiting, "", false}, {digest.Sending, "", true}, {digest.Sent, "", true}, {digest.Cancelled, "", false}, {digest.Sending, "", false},
	} {
		_, err := s.Table.Write(t.Context(), s.MoveOp("d", c.to, c.reason))
		if (err == nil) != c.ok || err != nil && !isRefused(err) {
			t.Errorf("to %s: %v", c.to, err)
		}
		got, err := s.Get(t.Context(), "d")
		if err != nil || c.ok && (got.Status != c.to || got.Reason != c.reason || got.EndedAt.IsZero() == c.to.Ended()) {
			t.Errorf("to %s: %+v, %v", c.to, got, err)
		}
	}
	if _, err := s.Table.Write(t.Context(), s.MoveOp("none", digest.Paused, "")); !isRefused(err) {
		t.Errorf("moved a digest that is not there: %v", err)
	}
}

func TestContentThatWasTamperedWith(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	scheduled(t, s, "d")
	key := table.Key{PK: "DIG#d", SK: "C"}
	for name, doc := range map[string]string{"changed": `{"subject":"other"}`, "broken": `{`} {
		if _, err := s.Table.Write(t.Context(), table.Update(key, table.Set("doc", []byte(doc)))); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Frozen(t.Context(), "d"); err == nil || fault.CodeOf(err) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTestMails(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	m := digest.TestMail{ID: "t1", Digest: "d", To: []string{"a@example.org"}, Content: digest.Content{Subject: "S", HTML: "H", Text: "T"},
		Expires: digestNow.Truncate(time.Second).Add(time.Hour)}
	if err := s.SaveTest(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Test(t.Context(), "t1"); err != nil || cmp.Diff(m, got) != "" {
		t.Errorf("%s, %v", cmp.Diff(m, got), err)
	}
	late := s
	late.Now = func() time.Time { return m.Expires }
	_, err := late.Test(t.Context(), "t1")
	wantArticleFault(t, err, fault.NotFound)
	for range 2 {
		if err := s.DeleteTest(t.Context(), "t1"); err != nil {
			t.Error(err)
		}
	}
	_, err = s.Test(t.Context(), "t1")
	wantArticleFault(t, err, fault.NotFound)
}

// An echo is a table whose answer to a single write is lost, so that the client writes again, as the SDK does.
type echo struct{ table.Table }

func (e echo) Write(ctx context.Context, ops ...table.Op) (table.Item, error) {
	item, err := e.Table.Write(ctx, ops...)
	if len(ops) > 1 { // a transaction has a token: the repetition is recognised
		return item, err
	}
	return e.Table.Write(ctx, ops...)
}

func TestWritesKnowTheirOwnSuccess(t *testing.T) {
	t.Parallel()
	s := newDigests(t)
	s.Table = echo{s.Table}
	d := scheduled(t, s, "d")
	d.Title, d.Rev = "Newer", 3
	if err := s.Save(t.Context(), d, digest.Digest{Rev: 2}); err != nil {
		t.Errorf("save: %v", err)
	}
	if err := s.Arm(t.Context(), "d", 1); err != nil {
		t.Errorf("arm: %v", err)
	}
	if err := s.Save(t.Context(), d, digest.Digest{Rev: 2}); !errors.Is(err, digest.ErrMoved) {
		t.Errorf("someone else's write taken for one's own: %v", err)
	}
	if got, err := s.Get(t.Context(), "d"); err != nil || got.Title != "Newer" || got.Armed != 1 || got.Rev != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}
