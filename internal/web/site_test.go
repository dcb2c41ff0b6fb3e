package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tidings/internal/web"
	"tidings/internal/web/pages"
)

const browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"

func TestSite(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	home := s.ask("GET", "/", "", browser)
	if home.Code != 200 || !strings.HasPrefix(home.Header().Get("Content-Type"), "text/html") || !strings.Contains(home.Body.String(), "Subscribe to our monthly newsletter") {
		t.Errorf("home: %d %s", home.Code, home.Body)
	}
	if again := s.ask("GET", "/", "", "If-None-Match: "+home.Header().Get("ETag")); again.Code != 304 {
		t.Errorf("home again: %d", again.Code)
	}
	if w := s.ask("GET", "/healthz", ""); w.Code != 200 || w.Body.String() != `{"status":"ok","version":"v1"}`+"\n" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("health: %d %s", w.Code, w.Body)
	}
	w := s.ask("GET", "/robots.txt", "")
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || !strings.Contains(w.Body.String(), "Disallow: /unsubscribe/") {
		t.Errorf("robots: %d %s", w.Code, w.Body)
	}
	// Whatever of its own the page loads is there.
	for _, part := range strings.Split(home.Body.String(), `"/static/`)[1:] {
		path := "/static/" + part[:strings.IndexByte(part, '"')]
		if w := s.ask("GET", path, ""); w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	for _, path := range []string{"/static/none.css", "/static/", "/static/../embed.go", "/static/a/b"} {
		if w := s.ask("GET", path, ""); w.Code == 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	s.Mux.HandleFunc("GET /own", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Referrer-Policy", "no-referrer") })
	for _, path := range []string{"/", "/nothing", "/healthz", "/editor/api/articles", "/own", "/static/site.css"} {
		h := s.ask("GET", path, "").Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": pages.CSP, "X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Referrer-Policy":            map[bool]string{true: "no-referrer", false: "same-origin"}[path == "/own"],
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if !strings.Contains(h.Get("Permissions-Policy"), "geolocation=()") {
			t.Errorf("%s: no Permissions-Policy", path)
		}
	}
	front := s.Handler.(web.Front)
	front.HTTPS = false
	s.Handler = front
	if got := s.ask("GET", "/", "").Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("on plain http: %q", got)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/nothing", 404, ""},
		{"POST", "/nothing", 404, ""},
		{"GET", "//evil.example.org/%2e%2e", 404, ""},
		{"POST", "/", 405, "GET, HEAD"},
		{"DELETE", "/healthz", 405, "GET, HEAD"},
		{"BREW", "/robots.txt", 405, "GET, HEAD"},
	} {
		w := s.ask(c.method, c.path, "")
		var p web.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != c.status || p.Status != c.status || p.Title != http.StatusText(c.status) ||
			w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Allow") != c.allow || strings.Contains(w.Body.String(), "BREW") {
			t.Errorf("%s %s: %d %s %q", c.method, c.path, w.Code, w.Body, w.Header().Get("Allow"))
		}
		w = s.ask(c.method, c.path, "", browser)
		if w.Code != c.status || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || !strings.Contains(w.Body.String(), "</html>") || !strings.Contains(w.Body.String(), "noindex") {
			t.Errorf("%s %s as a page: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
	if s.Log.Len() > 0 {
		t.Errorf("logged %s", s.Log)
	}
}

func TestPanics(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	s.Mux.HandleFunc("GET /crash/{token}", func(_ http.ResponseWriter, r *http.Request) {
		panic("subscriber ana@example.org " + r.PathValue("token"))
	})
	s.Mux.HandleFunc("GET /index", func(http.ResponseWriter, *http.Request) { _ = []int{}[len(t.Name())] })
	s.Mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("half")); panic("late") })
	s.Mux.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	p := decoded(t, s.ask("GET", "/crash/secret", ""), 500)
	if keys(p) != "detail status title type" || strings.Contains(s.Log.String(), "ana@") || strings.Contains(s.Log.String(), "secret") ||
		!strings.Contains(s.Log.String(), `"route":"GET /crash/{token}"`) || !strings.Contains(s.Log.String(), "TestPanics") || strings.Count(s.Log.String(), "\n") != 1 {
		t.Errorf("%v, logged %s", p, s.Log)
	}
	s.Log.Reset()
	if w := s.ask("GET", "/index", "", browser); w.Code != 500 || !strings.Contains(w.Body.String(), "</html>") || !strings.Contains(s.Log.String(), "index out of range") {
		t.Errorf("%d %s, logged %s", w.Code, w.Body, s.Log)
	}
	s.Log.Reset()
	if w := s.ask("GET", "/late", ""); w.Body.String() != "half" || strings.Count(s.Log.String(), "\n") != 1 {
		t.Errorf("%q, logged %s", w.Body, s.Log)
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("an abort was swallowed")
		}
	}()
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/abort", nil))
}
