package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidings/internal/article"
	"tidings/internal/audience"
	"tidings/internal/bolt"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/mail"
	"tidings/internal/store"
	"tidings/internal/web"
	"tidings/internal/web/pages"
	"tidings/templates"
)

// tokens stands for the issuer: the groups of each token that is valid.
type tokens map[string][]string

func (m tokens) Verify(_ context.Context, token string) (string, []string, error) {
	groups, ok := m[token]
	switch {
	case token == "later":
		return "", nil, fmt.Errorf("fetch keys: %w: %w", errors.New("connection refused"), fault.New(fault.Unavailable, "Sign-ins can't be checked."))
	case !ok:
		return "", nil, fault.New(fault.Unauthenticated, "The token is not valid.")
	}
	return "someone", groups, nil
}

var issued = tokens{"pub": {"staff", "publisher"}, "ed": {"editor"}, "guest": {"staff"}, "nobody": nil}

// bell keeps the names of alarms that are set, and is the queue too.
type bell struct {
	set  map[string]time.Time
	sent []string
}

func (b *bell) Once(_ context.Context, name string, at time.Time, _ []byte) error {
	b.set[name] = at
	return nil
}
func (b *bell) Delete(_ context.Context, name string) error { delete(b.set, name); return nil }
func (b *bell) Send(_ context.Context, body []byte, _ time.Duration) error {
	b.sent = append(b.sent, string(body))
	return nil
}

// counted answers with one progress for every digest.
type counted digest.Progress

func (c counted) Progress(context.Context, string) (digest.Progress, error) {
	return digest.Progress(c), nil
}

// forbidden is a linter that finds an error in one word.
type forbidden string

func (f forbidden) Lint(c digest.Content, _ []article.Article) []digest.Finding {
	if !strings.Contains(c.Text, string(f)) {
		return nil
	}
	return []digest.Finding{{Rule: "med-claims", Severity: digest.SeverityError, Message: "Don't promise this."}}
}

// An editorSite is the whole editors' API behind its front, over an engine of its own.
type editorSite struct {
	articleSite
	Digests store.Digests
	Ledger  store.Ledger
	People  store.Subscribers
	Bell    *bell
	Mux     *http.ServeMux // of the front, for more routes
}

// editorsIDs makes the IDs of the editors' site.
var editorsIDs = audience.Identity{IDKey: bytes.Repeat([]byte("i"), 32), IPKey: bytes.Repeat([]byte("p"), 32)}

func newEditorSite(t testing.TB) editorSite {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "t.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	const base = "https://news.example.org"
	render, err := pages.New(templates.FS, pages.Site{Name: "Clinic", BaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	builder, err := mail.New(templates.FS, mail.Site{Name: "Clinic", BaseURL: base, PostalAddress: "1 Main St"})
	if err != nil {
		t.Fatal(err)
	}
	var ids int
	now := func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }
	newID := func() string { ids++; return fmt.Sprintf("01k0000000000000000000%04d", ids) }
	s := editorSite{articleSite: articleSite{Log: new(bytes.Buffer)}, Bell: &bell{set: map[string]time.Time{}}, Mux: http.NewServeMux()}
	s.Store = store.Articles{Table: db, Now: now}
	s.Digests = store.Digests{Table: db, Now: now, NewID: newID}
	log := slog.New(slog.NewJSONHandler(s.Log, nil))
	res := &web.Responder{Pages: render, Log: log}
	service := &digest.Service{
		Digests: s.Digests, Contents: s.Digests, Tests: s.Digests, Articles: s.Store, Linter: forbidden("miracle"),
		Composer: digest.MailComposer{Builder: builder, BaseURL: base}, Scheduler: s.Bell, Queue: s.Bell,
		Course: delivery.Desk{
			Turns:    store.Deliveries{Digests: s.Digests, Ledger: store.Ledger{Table: db, Now: now, NewID: newID}},
			Progress: &delivery.Counter{Tallies: store.Tallies{Table: db, Now: now}, Shards: store.Ledger{Table: db, Now: now, NewID: newID}, Now: now},
		},
		Log: log, Now: now, NewID: newID, Zone: "America/Denver",
		Address: func(a string) (string, error) {
			if !strings.Contains(a, "@") {
				return "", fault.New(fault.Invalid, "no")
			}
			return a, nil
		},
	}
	api := http.NewServeMux()
	web.EditorArticles{Responder: res, Store: s.Store, BaseURL: base}.Register(api)
	web.EditorDigests{Responder: res, Service: service, Progress: counted{Audience: 3, Accepted: 2, Skipped: 1}}.Register(api)
	ledger := store.Ledger{Table: db, Now: now, NewID: newID}
	web.EditorReport{Responder: res, Digests: service, Reports: &delivery.Reporter{
		Shards: ledger, Pages: ledger, Progress: &delivery.Counter{Tallies: store.Tallies{Table: db, Now: now}, Shards: ledger, Now: now},
	}}.Register(api)
	s.Ledger = ledger
	s.People = store.Subscribers{Table: db, Now: now, NewID: newID}
	web.EditorSubscribers{Responder: res, Helpdesk: &audience.Helpdesk{Records: s.People, Memberships: s.People, Identity: editorsIDs, Now: now}}.Register(api)
	web.Auth{Responder: res, Verifier: issued, API: api}.Register(s.Mux)
	web.Archive{Responder: res, Store: s.Digests, BaseURL: base}.Register(s.Mux)
	web.Articles{Responder: res, Store: s.Store, BaseURL: base}.Register(s.Mux)
	web.Feeds{Responder: res, Articles: s.Store, Archive: s.Digests, Name: "Clinic", BaseURL: base}.Register(s.Mux)
	web.Site{Responder: res, Name: "Clinic", BaseURL: base, Version: "v1", Static: pages.Static(templates.FS)}.Register(s.Mux)
	s.Handler = web.Front{Responder: res, Mux: s.Mux, CSP: pages.CSP, HTTPS: true}
	return s
}

// as sends a request with a token and returns the decoded answer, after it has checked the status.
func (s editorSite) as(t testing.TB, token, method, path, body string, status int, headers ...string) map[string]any {
	t.Helper()
	w := s.ask(method, path, body, append(headers, "Authorization: Bearer "+token)...)
	if w.Code != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil && w.Body.Len() > 0 {
		t.Fatalf("%v in %s", err, w.Body)
	}
	if out == nil {
		out = map[string]any{}
	}
	out["etag"], out["type"] = w.Header().Get("ETag"), w.Header().Get("Content-Type")
	return out
}

// drafted makes a digest of one published article and returns its path.
func (s editorSite) drafted(t testing.TB) string {
	t.Helper()
	s.as(t, "ed", "POST", "/editor/api/articles", publish, 201)
	d := s.as(t, "ed", "POST", "/editor/api/digests", `{"title":"News","articles":["sleep"]}`, 201)
	return "/editor/api/digests/" + d["id"].(string)
}

// started puts a scheduled digest to sending, as dispatch does at its hour.
func (s editorSite) started(t testing.TB, path string) {
	t.Helper()
	d, err := s.Digests.Get(t.Context(), strings.TrimPrefix(path, "/editor/api/digests/"))
	if err == nil {
		ops := s.Digests.StartOps(d)
		_, err = s.Digests.Table.Write(t.Context(), ops...)
	}
	if err != nil {
		t.Fatal(err)
	}
}
