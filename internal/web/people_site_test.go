package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/bolt"
	"tidings/internal/delivery"
	"tidings/internal/mail"
	"tidings/internal/store"
	"tidings/internal/table"
	"tidings/internal/token"
	"tidings/internal/web"
	"tidings/internal/web/pages"
	"tidings/templates"
)

// A peopleSite is all that a subscriber meets: the handlers, the stores on an engine of their own, the mail queue and its
// worker, and what was mailed.
type peopleSite struct {
	http.Handler
	t      testing.TB
	file   string // of the table
	table  *table.Counter
	people store.Subscribers
	worker *delivery.Singles
	tokens *token.Keyring
	ids    audience.Identity

	mu    sync.Mutex
	now   time.Time
	log   bytes.Buffer
	queue [][]byte
	every [][]byte // messages there ever were
	sent  []delivery.Single
}

const clinicOrigin = "https://clinic.example"

func newPeopleSite(t testing.TB) *peopleSite {
	t.Helper()
	file := filepath.Join(t.TempDir(), "t.db")
	db, err := bolt.Open(file, bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := &peopleSite{t: t, file: file, table: &table.Counter{Table: db}, now: time.Date(2026, 11, 24, 9, 20, 0, 0, time.UTC)}
	s.ids = audience.Identity{IDKey: bytes.Repeat([]byte("i"), 32), IPKey: bytes.Repeat([]byte("p"), 32)}
	if s.tokens, err = token.NewKeyring(token.Key{ID: 1, Secret: bytes.Repeat([]byte("k"), 32)}); err != nil {
		t.Fatal(err)
	}
	n := 0
	s.people = store.Subscribers{Table: s.table, Now: s.clock, NewID: func() string {
		s.mu.Lock()
		defer s.mu.Unlock()
		n++
		return fmt.Sprintf("%08d", n)
	}}
	log := slog.New(slog.NewJSONHandler(&locked{s}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.wire(log)
	return s
}

// wire builds handlers and worker.
func (s *peopleSite) wire(log *slog.Logger) {
	s.t.Helper()
	site := mail.Site{Name: "Clinic", BaseURL: "https://news.example.org", PostalAddress: "1 Main Street"}
	builder, err := mail.New(templates.FS, site)
	if err != nil {
		s.t.Fatal(err)
	}
	render, err := pages.New(templates.FS, pages.Site{Name: "Clinic", BaseURL: site.BaseURL, PostalAddress: site.PostalAddress})
	if err != nil {
		s.t.Fatal(err)
	}
	consent, err := audience.LoadConsent(templates.FS)
	if err != nil {
		s.t.Fatal(err)
	}
	s.worker = &delivery.Singles{
		Standings: s.people, Post: s, Builder: builder, Site: site, Tokens: s.tokens, PerDay: 3, Log: log, Now: s.clock, Budget: time.Minute,
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
	res, mux := &web.Responder{Pages: render, Log: log}, http.NewServeMux()
	links := &audience.Links{Tokens: s.tokens, Memberships: s.people, Queue: s, Identity: s.ids, Now: s.clock}
	web.Signup{Responder: res, Origins: []string{clinicOrigin}, SignUps: &audience.SignUps{
		Requests: s.people, Queue: s, Identity: s.ids, Consent: consent, PerHour: 60, Now: s.clock,
	}}.Register(mux)
	web.Confirm{Responder: res, Links: links}.Register(mux)
	web.Unsubscribe{Responder: res, Links: links, Consent: consent, Returns: &audience.Returns{
		Tokens: s.tokens, Profiles: s.people, Requests: s.people, Queue: s, Identity: s.ids, Consent: consent, Now: s.clock,
	}}.Register(mux)
	consents, err := audience.LoadConsents(templates.FS)
	if err != nil {
		s.t.Fatal(err)
	}
	preferences := &audience.Preferences{
		Tokens: s.tokens, Profiles: s.people, Records: s.people, Moves: s.people, Consents: consents, Queue: s, Identity: s.ids, Now: s.clock,
	}
	web.Preferences{Responder: res, Preferences: preferences, Topics: store.Articles{Table: s.table, Now: s.clock}, Now: s.clock}.Register(mux)
	web.Rights{Responder: res, Rights: preferences}.Register(mux)
	s.Handler = mux
}

// locked is the log, written by many.
type locked struct{ s *peopleSite }

func (l locked) Write(b []byte) (int, error) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return l.s.log.Write(b)
}

func (s *peopleSite) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *peopleSite) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// Send implements audience.Queue.
func (s *peopleSite) Send(_ context.Context, body []byte, _ time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue, s.every = append(s.queue, body), append(s.every, body)
	return nil
}

// SendOne implements delivery.Post.
func (s *peopleSite) SendOne(_ context.Context, m delivery.Single) error {
	s.sent = append(s.sent, m)
	return nil
}

// mails works the queue off and returns what was mailed.
func (s *peopleSite) mails() []delivery.Single {
	s.t.Helper()
	s.sent = nil
	for _, body := range s.queue {
		id := fmt.Sprint("message", len(s.every), len(s.sent), s.clock().UnixNano())
		if failed := s.worker.Handle(context.Background(), []delivery.Received{{ID: id, Body: body, Receives: 1}}); failed != nil {
			s.t.Errorf("message %s failed", body)
		}
	}
	s.queue = nil
	return s.sent
}

// link returns the path that a mail's text leads to first.
func link(t testing.TB, m delivery.Single) string { return linkTo(t, m, "/") }

// linkTo returns the path below another that a mail's text leads to.
func linkTo(t testing.TB, m delivery.Single, below string) string {
	t.Helper()
	_, rest, ok := strings.Cut(m.Text, "https://news.example.org"+below)
	path, _, _ := strings.Cut(rest, "\n")
	if !ok || path == "" {
		t.Fatalf("no link in %q", m.Text)
	}
	return below + path
}

// ask sends a request from an address; headers are "Name: value" lines.
func (s *peopleSite) ask(ip, method, path, contentType, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r.WithContext(web.WithIP(r.Context(), netip.MustParseAddr(ip))))
	return w
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	anIP     = "192.0.2.7"
)

// signUp posts a form as a program would.
func (s *peopleSite) signUp(email string) *httptest.ResponseRecorder {
	s.pass(time.Second)
	return s.ask(anIP, "POST", "/subscribe", formType, url.Values{"email": {email}, "name": {"Ana"}}.Encode(), "Referer: https://clinic.example/join?utm_source=x")
}

// post presses a link's button, as a program would.
func (s *peopleSite) post(path string) *httptest.ResponseRecorder {
	s.pass(time.Second)
	return s.ask(anIP, "POST", path, "", "")
}

// status returns a subscriber's, by the address.
func (s *peopleSite) status(email string) audience.Status {
	s.t.Helper()
	a, err := audience.ParseAddress(email)
	if err != nil {
		s.t.Fatal(err)
	}
	id := s.ids.ID(a)
	all, err := s.people.GetMany(context.Background(), []string{id})
	if err != nil {
		s.t.Fatal(err)
	}
	return all[id].Status
}

// join signs an address up, confirms it, and returns the confirmation's path.
func (s *peopleSite) join(email string) string {
	s.t.Helper()
	if w := s.signUp(email); w.Code != 202 {
		s.t.Fatalf("sign-up: %d %s", w.Code, w.Body)
	}
	mails := s.mails()
	if len(mails) != 1 {
		s.t.Fatalf("%d mails after a sign-up", len(mails))
	}
	path := link(s.t, mails[0])
	if w := s.post(path); w.Code != 200 {
		s.t.Fatalf("confirm: %d %s", w.Code, w.Body)
	}
	if mails := s.mails(); len(mails) != 1 || mails[0].Tags["mail"] != "welcome" {
		s.t.Fatalf("after a confirmation %+v", mails)
	}
	return path
}

// leaveLink returns the unsubscribe path of an address.
func (s *peopleSite) leaveLink(email string) string {
	s.t.Helper()
	a, err := audience.ParseAddress(email)
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := s.tokens.Sign(token.Claims{Purpose: token.Unsubscribe, Subscriber: s.ids.ID(a), Issued: s.clock()})
	if err != nil {
		s.t.Fatal(err)
	}
	return "/unsubscribe/" + text
}

// problem demands a problem document of a status.
func problem(t testing.TB, what string, w *httptest.ResponseRecorder, status int) web.Problem {
	t.Helper()
	var p web.Problem
	body, _ := io.ReadAll(w.Body)
	if err := json.Unmarshal(body, &p); err != nil || w.Code != status || p.Status != status || p.Detail == "" ||
		w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d %s, want a problem %d", what, w.Code, body, status)
	}
	return p
}
