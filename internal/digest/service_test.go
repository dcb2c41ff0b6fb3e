package digest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/article"
	"tidings/internal/bolt"
	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/mail"
	"tidings/internal/store"
	"tidings/templates"
)

// alarms stands for the scheduler: it keeps what is set.
type alarms struct {
	mu   sync.Mutex
	set  map[string]alarm
	fail error
}

type alarm struct {
	at      time.Time
	payload string
}

func (a *alarms) Once(_ context.Context, name string, at time.Time, payload []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail == nil {
		a.set[name] = alarm{at, string(payload)}
	}
	return a.fail
}

func (a *alarms) Delete(_ context.Context, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.set, name)
	return a.fail
}

// mailQueue keeps messages.
type mailQueue struct{ bodies []string }

func (q *mailQueue) Send(_ context.Context, body []byte, _ time.Duration) error {
	q.bodies = append(q.bodies, string(body))
	return nil
}

// words is a linter that finds an error in "miracle" and a warning in "breakthrough".
type words struct{}

func (words) Lint(c digest.Content, _ []article.Article) []digest.Finding {
	var all []digest.Finding
	for word, severity := range map[string]string{"miracle": digest.SeverityError, "breakthrough": digest.SeverityWarning} {
		if strings.Contains(c.Text, word) {
			all = append(all, digest.Finding{Rule: "med-claims", Severity: severity, Message: word})
		}
	}
	return all
}

// A desk is the service on an engine of its own.
type desk struct {
	*digest.Service
	t        testing.TB
	digests  store.Digests
	articles store.Articles
	alarms   *alarms
	queue    *mailQueue
	log      *bytes.Buffer
	mu       sync.Mutex
	now      time.Time
	ids      int
}

func (k *desk) clock() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

func (k *desk) id() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ids++
	return fmt.Sprintf("01k0000000000000000000%04d", k.ids)
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "t.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	builder, err := mail.New(templates.FS, mail.Site{Name: "Clinic", BaseURL: "https://news.example.org", PostalAddress: "1 Main St"})
	if err != nil {
		t.Fatal(err)
	}
	k := &desk{t: t, alarms: &alarms{set: map[string]alarm{}}, queue: &mailQueue{}, log: new(bytes.Buffer),
		now: time.Date(2026, 11, 24, 12, 0, 0, 123456, time.UTC)}
	k.digests = store.Digests{Table: db, Now: k.clock, NewID: k.id}
	k.articles = store.Articles{Table: db, Now: k.clock}
	k.Service = &digest.Service{
		Digests: k.digests, Contents: k.digests, Tests: k.digests, Articles: k.articles,
		Composer: digest.MailComposer{Builder: builder, BaseURL: "https://news.example.org"}, Linter: words{},
		Scheduler: k.alarms, Queue: k.queue, Log: slog.New(slog.NewTextHandler(k.log, nil)), Now: k.clock, NewID: k.id, Zone: "America/Denver",
		Address: func(a string) (string, error) {
			if !strings.Contains(a, "@") {
				return "", errors.New("not an address: " + a)
			}
			return strings.ToLower(a), nil
		},
	}
	return k
}

// publish keeps an article and returns its slug.
func (k *desk) publish(title string, status article.Status, topics ...string) string {
	k.t.Helper()
	a, _, err := k.articles.Create(k.t.Context(), article.Draft{Title: title, Body: "About " + title + ".", Status: status, Topics: topics})
	if err != nil {
		k.t.Fatal(err)
	}
	return a.Slug
}

// draft makes a digest of one published article.
func (k *desk) draft() digest.Digest {
	k.t.Helper()
	slug := k.publish("Sleep", article.StatusPublished, "sleep")
	d, err := k.Create(k.t.Context(), digest.Change{Title: ptr("News"), Articles: &[]string{slug}})
	if err != nil {
		k.t.Fatal(err)
	}
	return d
}

func ptr[T any](v T) *T { return &v }

// wants fails unless the error is a fault of the code ("" for no error).
func wants(t testing.TB, what string, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code || (err == nil) != (code == "") {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}

func TestCreateAndChange(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	sleep, plan := k.publish("Sleep", article.StatusPublished), k.publish("Plan", article.StatusDraft)
	for name, c := range map[string]struct {
		change digest.Change
		code   fault.Code
	}{
		"no title":         {digest.Change{}, fault.Invalid},
		"blank title":      {digest.Change{Title: ptr(" \t")}, fault.Invalid},
		"two lines":        {digest.Change{Title: ptr("a\nb")}, fault.Invalid},
		"long title":       {digest.Change{Title: ptr(strings.Repeat("ä", 201))}, fault.Invalid},
		"control in intro": {digest.Change{Title: ptr("a"), Intro: ptr("a\x00b")}, fault.Invalid},
		"long intro":       {digest.Change{Title: ptr("a"), Intro: ptr(strings.Repeat("a", 8001))}, fault.Invalid},
		"not a slug":       {digest.Change{Title: ptr("a"), Articles: &[]string{"../x"}}, fault.Invalid},
		"article twice":    {digest.Change{Title: ptr("a"), Articles: &[]string{sleep, sleep}}, fault.Invalid},
		"31 articles":      {digest.Change{Title: ptr("a"), Articles: ptr(make([]string, 31))}, fault.Invalid},
		"unknown article":  {digest.Change{Title: ptr("a"), Articles: &[]string{"none"}}, fault.Unprocessable},
	} {
		_, err := k.Create(t.Context(), c.change)
		wants(t, name, err, c.code)
	}
	d, err := k.Create(t.Context(), digest.Change{Title: ptr(" News "), Intro: ptr("Hi\r\nthere"), Articles: &[]string{sleep, plan}})
	if err != nil || d.Title != "News" || d.Line() != "News" || d.Intro != "Hi\nthere" || d.Status != digest.Draft || d.Rev != 1 || len(d.Articles) != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
	k.now = k.now.Add(time.Hour)
	changed, err := k.Update(t.Context(), d.ID, []int64{1}, digest.Change{Subject: ptr("Read this")})
	if err != nil || changed.Rev != 2 || changed.Line() != "Read this" || changed.Title != "News" || !changed.UpdatedAt.After(d.UpdatedAt) {
		t.Errorf("%+v, %v", changed, err)
	}
	if got, err := k.Get(t.Context(), d.ID); err != nil || fmt.Sprint(got) != fmt.Sprint(changed) {
		t.Errorf("read %+v, %v; want %+v", got, err, changed)
	}
	_, err = k.Update(t.Context(), d.ID, []int64{1}, digest.Change{Title: ptr("x")})
	wants(t, "old revision", err, fault.Stale)
	_, err = k.Update(t.Context(), d.ID, nil, digest.Change{Title: ptr("")})
	wants(t, "emptied title", err, fault.Invalid)
	for _, id := range []string{"none", "", "a b", strings.Repeat("a", 3000)} {
		_, err := k.Get(t.Context(), id)
		wants(t, "unknown digest", err, fault.NotFound)
	}
}

func TestDuplicateAndDelete(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	d := k.draft()
	if _, err := k.Schedule(t.Context(), d.ID, nil, digest.When{Now: true}); err != nil {
		t.Fatal(err)
	}
	wants(t, "delete a scheduled one", k.Delete(t.Context(), d.ID, nil), fault.Conflict)
	twin, err := k.Duplicate(t.Context(), d.ID)
	if err != nil || twin.ID == d.ID || twin.Status != digest.Draft || twin.ContentHash != "" || twin.Version != 0 || twin.Title != d.Title || twin.Articles[0] != "sleep" {
		t.Fatalf("%+v, %v", twin, err)
	}
	wants(t, "delete another revision", k.Delete(t.Context(), twin.ID, []int64{7}), fault.Stale)
	wants(t, "delete", k.Delete(t.Context(), twin.ID, []int64{1}), "")
	wants(t, "delete again", k.Delete(t.Context(), twin.ID, nil), fault.NotFound)
	_, err = k.Duplicate(t.Context(), twin.ID)
	wants(t, "duplicate what is gone", err, fault.NotFound)
	list, err := k.List(t.Context(), "", 10)
	if err != nil || len(list.Items) != 1 || list.Items[0].ID != d.ID {
		t.Errorf("%+v, %v", list, err)
	}
	_, err = k.List(t.Context(), "nonsense", 10)
	wants(t, "foreign cursor", err, fault.Invalid)
}

func TestPreviewAndTest(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	plan := k.publish("Plan {{name}}", article.StatusDraft)
	d, err := k.Create(t.Context(), digest.Change{Title: ptr("A breakthrough"), Intro: ptr("A breakthrough."), Articles: &[]string{plan}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := k.Preview(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	if p.Subject != "A breakthrough" || !strings.Contains(p.Text, "Plan {{name}}") || !strings.Contains(p.Text, "https://news.example.org/articles/"+plan) ||
		!strings.Contains(p.HTML, "https://news.example.org/unsubscribe/test") || len(p.Findings) != 1 || p.Findings[0].Severity != digest.SeverityWarning {
		t.Errorf("preview %+v", p)
	}
	for name, to := range map[string][]string{"none": nil, "no address": {"a@example.org", "x"}, "eleven": make([]string, 11)} {
		err := k.Test(t.Context(), d.ID, to)
		wants(t, name, err, fault.Invalid)
		if err != nil && strings.Contains(err.Error(), "@") {
			t.Errorf("%v repeats an address", err)
		}
	}
	wants(t, "unknown digest", k.Test(t.Context(), "none", []string{"a@example.org"}), fault.NotFound)
	wants(t, "test", k.Test(t.Context(), d.ID, []string{"A@example.org", "b@example.org", "a@EXAMPLE.org"}), "")
	if len(k.queue.bodies) != 1 || strings.Contains(k.queue.bodies[0], "@") {
		t.Fatalf("queue %v", k.queue.bodies)
	}
	id := strings.TrimSuffix(strings.TrimPrefix(k.queue.bodies[0], `{"kind":"test","test":"`), `"}`)
	m, err := k.digests.Test(t.Context(), id)
	if err != nil || strings.Join(m.To, " ") != "a@example.org b@example.org" || m.Digest != d.ID || m.Content != p.Content {
		t.Errorf("%+v, %v", m, err)
	}
	k.now = k.now.Add(24 * time.Hour)
	_, err = k.digests.Test(t.Context(), id)
	wants(t, "a day later", err, fault.NotFound)
	if err := k.digests.DeleteTest(t.Context(), id); err != nil {
		t.Error(err)
	}
	if err := k.articles.Delete(t.Context(), plan, nil); err != nil {
		t.Fatal(err)
	}
	_, err = k.Preview(t.Context(), d.ID)
	wants(t, "preview without its article", err, fault.Unprocessable)
	if k.Linter = nil; k.log.Len() > 0 {
		t.Errorf("logged %s", k.log)
	}
	empty, err := k.Create(t.Context(), digest.Change{Title: ptr("Empty")})
	if p, err2 := k.Preview(t.Context(), empty.ID); err != nil || err2 != nil || p.Findings == nil {
		t.Errorf("%+v, %v, %v", p, err, err2)
	}
}

func TestTwoEditors(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	d := k.draft()
	var wg sync.WaitGroup
	var mu sync.Mutex
	won, stored := 0, []string{}
	for n := range 8 {
		wg.Go(func() {
			var err error
			if n%2 == 0 {
				_, err = k.Schedule(t.Context(), d.ID, []int64{1}, digest.When{Now: true})
			} else {
				_, err = k.Update(t.Context(), d.ID, []int64{1}, digest.Change{Title: ptr(fmt.Sprint("Editor ", n))})
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !fault.Is(err, fault.Stale) {
				stored = append(stored, err.Error())
			}
		})
	}
	wg.Wait()
	got, err := k.Get(t.Context(), d.ID)
	if err != nil || won != 1 || got.Rev != 2 || len(stored) > 0 {
		t.Errorf("%d won, digest at revision %d, %v, others %v", won, got.Rev, err, stored)
	}
	if n := len(k.alarms.set); (got.Status == digest.Scheduled) != (n == 1) || n > 1 {
		t.Errorf("%s with %d alarms", got.Status, n)
	}
}
