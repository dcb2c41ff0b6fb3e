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
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/article"
	"tidings/internal/bolt"
	"tidings/internal/fetch"
	"tidings/internal/store"
	"tidings/internal/web"
	"tidings/internal/web/pages"
	"tidings/templates"
)

// An articleSite is the articles' handlers, public and editors', over an engine of their own.
type articleSite struct {
	http.Handler
	*web.Responder
	Store store.Articles
	Log   *bytes.Buffer
}

// pageOf stands for the web: it knows one page.
type pageOf struct{ page article.Page }

func (p pageOf) Page(_ context.Context, address string) (article.Page, error) {
	if address != p.page.URL {
		return fetch.New().Page(context.Background(), "http://127.0.0.1/")
	}
	return p.page, nil
}

func newArticleSite(t testing.TB) articleSite {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "t.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	render, err := pages.New(templates.FS, pages.Site{Name: "Clinic", BaseURL: "https://news.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	s := articleSite{Log: new(bytes.Buffer)}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.Store = store.Articles{Table: db, Now: func() time.Time { now = now.Add(time.Minute); return now }}
	res := &web.Responder{Pages: render, Log: slog.New(slog.NewJSONHandler(s.Log, nil))}
	s.Responder = res
	mux := http.NewServeMux()
	web.Articles{Responder: res, Store: s.Store, BaseURL: "https://news.example.org"}.Register(mux)
	web.EditorArticles{Responder: res, Store: s.Store, BaseURL: "https://news.example.org", Extract: fetch.Extractor{}, Fetch: pageOf{article.Page{
		URL: "https://example.org/walks", Title: "Walks", Published: time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC), HTML: "<div><p>Go for a walk.</p><script>x()</script></div>",
	}}}.Register(mux)
	s.Handler = mux
	return s
}

// ask sends a request; headers are "Name: value" lines.
func (s articleSite) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// decoded returns the body as JSON, after it has checked the status.
func decoded(t *testing.T, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return out
}

// keys returns an object's members, sorted.
func keys(m map[string]any) string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

const publish = `{"title":"Sleep","body":"Rest **well**.","format":"markdown","topics":["Sleep"],"status":"published","publishedAt":"2025-01-02T03:04:05Z"}`

func TestVisitorsSeePublishedArticles(t *testing.T) {
	t.Parallel()
	s := newArticleSite(t)
	if got := s.ask("GET", "/articles", "").Body.String(); got != `{"items":[],"next":""}`+"\n" {
		t.Errorf("empty list: %s", got)
	}
	decoded(t, s.ask("POST", "/editor/api/articles", publish), 201)
	decoded(t, s.ask("POST", "/editor/api/articles", `{"title":"Secret plan","body":"x"}`), 201)
	list := decoded(t, s.ask("GET", "/articles", ""), 200)
	items := list["items"].([]any)
	if len(items) != 1 || keys(items[0].(map[string]any)) != "publishedAt slug status summary title topics updatedAt url" {
		t.Errorf("list %v", list)
	}
	for _, w := range []*httptest.ResponseRecorder{s.ask("GET", "/articles/sleep", ""), s.ask("GET", "/articles/sleep.json", "", "Accept: text/html")} {
		a := decoded(t, w, 200)
		if keys(a) != "html publishedAt slug status summary text title topics updatedAt url" {
			t.Errorf("members %s", keys(a))
		}
		if a["html"] != "<p>Rest <strong>well</strong>.</p>" || a["text"] != "Rest well." || a["summary"] != "Rest well." ||
			a["publishedAt"] != "2025-01-02T03:04:05Z" || a["url"] != "https://news.example.org/articles/sleep" || a["status"] != "published" {
			t.Errorf("article %v", a)
		}
	}
	for _, path := range []string{"/articles/secret-plan", "/articles/none", "/articles/secret-plan.json", "/articles/..%2fx"} {
		if p := decoded(t, s.ask("GET", path, ""), 404); p["code"] != "not-found" {
			t.Errorf("%s: %v", path, p)
		}
	}
	for path, want := range map[string]string{"/articles": "Articles", "/articles/sleep": "Sleep"} {
		w := s.ask("GET", path, "", "Accept: text/html,application/xhtml+xml,*/*;q=0.8")
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || !strings.Contains(w.Body.String(), want) {
			t.Errorf("page %s: %d %s", path, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "Secret plan") {
			t.Errorf("page %s shows a draft", path)
		}
	}
	if s.Log.Len() > 0 {
		t.Errorf("logged: %s", s.Log)
	}
}

func TestPagingAndBadQueries(t *testing.T) {
	t.Parallel()
	s := newArticleSite(t)
	for n := range 5 {
		decoded(t, s.ask("POST", "/editor/api/articles", fmt.Sprintf(`{"title":"Part %d","body":"x","status":"published","publishedAt":"2025-01-0%d"}`, n, n+1)), 201)
	}
	var got []string
	for path := "/articles?limit=2"; path != ""; {
		l := decoded(t, s.ask("GET", path, ""), 200)
		for _, it := range l["items"].([]any) {
			got = append(got, it.(map[string]any)["slug"].(string))
		}
		next := l["next"].(string)
		if path = ""; next != "" {
			path = "/articles?limit=2&cursor=" + next
		}
	}
	if want := "part-4 part-3 part-2 part-1 part-0"; strings.Join(got, " ") != want {
		t.Errorf("paged %v, want %s", got, want)
	}
	for _, q := range []string{"limit=0", "limit=101", "limit=x", "limit=-1", "limit=", "cursor=nonsense", "limit=1&cursor=%00"} {
		for _, base := range []string{"/articles?", "/editor/api/articles?"} {
			decoded(t, s.ask("GET", base+q, ""), 400)
		}
	}
	decoded(t, s.ask("GET", "/editor/api/articles?status=secret", ""), 400)
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	s := newArticleSite(t)
	decoded(t, s.ask("POST", "/editor/api/articles", publish), 201)
	for _, accept := range []string{"Accept: application/json", "Accept: text/html"} {
		for _, path := range []string{"/articles", "/articles/sleep"} {
			first := s.ask("GET", path, "", accept)
			tag := first.Header().Get("ETag")
			if tag == "" || strings.HasPrefix(tag, "W/") || first.Header().Get("Vary") != "Accept" || !strings.Contains(first.Header().Get("Cache-Control"), "stale-while-revalidate") {
				t.Errorf("%s: headers %v", path, first.Header())
			}
			if again := s.ask("GET", path, "", accept, "If-None-Match: "+tag); again.Code != 304 || again.Body.Len() > 0 {
				t.Errorf("%s with its ETag: %d", path, again.Code)
			}
			if head := s.ask("HEAD", path, "", accept); head.Code != 200 || head.Header().Get("ETag") != tag || head.Body.Len() > 0 {
				t.Errorf("HEAD %s: %d", path, head.Code)
			}
			s.ask("PATCH", "/editor/api/articles/sleep", `{"title":"Sleep `+strings.Repeat("!", len(path)+len(accept))+`"}`)
			if again := s.ask("GET", path, "", accept, "If-None-Match: "+tag); again.Code != 200 && strings.Contains(first.Body.String(), "Sleep") {
				t.Errorf("%s after a change: %d", path, again.Code)
			}
		}
	}
	if w := s.ask("GET", "/articles/sleep", "", "If-Modified-Since: Sat, 01 Jan 2028 00:00:00 GMT"); w.Code != 304 {
		t.Errorf("not modified since: %d", w.Code)
	}
}

// FuzzArticleRequests sends any bytes as a body: whatever comes, there is a proper answer and never a 500.
func FuzzArticleRequests(f *testing.F) {
	f.Add("application/json", publish)
	f.Add("application/json", `{"url":"https://example.org/walks"}`)
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.html\"\r\n\r\n<p>Hi</p>\r\n--b--")
	s := newArticleSite(f)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		for _, path := range []string{"/editor/api/articles", "/editor/api/articles/import"} {
			w := s.ask("POST", path, body, "Content-Type: "+contentType)
			out, _ := io.ReadAll(w.Body)
			if w.Code >= 500 || !json.Valid(out) {
				t.Errorf("%s: %d %s", path, w.Code, out)
			}
		}
	})
}
