package pages

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"tidings/templates"
)

func TestStaticFilesOfEveryPage(t *testing.T) {
	t.Parallel()
	h := Static(templates.FS)
	assets := regexp.MustCompile(`"(/static/[^"]+)"`)
	seen := map[string]bool{}
	for name, page := range rendered(t) {
		for _, m := range assets.FindAllStringSubmatch(page, -1) {
			seen[m[1]] = true
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", m[1], nil))
			if w.Code != 200 || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %s answers %d %v", name, m[1], w.Code, w.Header())
			}
		}
	}
	if len(seen) != 5 {
		t.Errorf("pages use %d static files, want icon, three styles and a script: %v", len(seen), seen)
	}
}

func TestStaticAnswers(t *testing.T) {
	t.Parallel()
	hashed, err := assetURL(templates.FS, "site.css")
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(hashed, strings.Split(hashed, ".")[1], "0123456789ab", 1)
	for path, want := range map[string]struct {
		code          int
		cache, typeOf string
	}{
		"/static/site.css":               {200, "no-cache", "text/css; charset=utf-8"},
		hashed:                           {200, "public, max-age=31536000, immutable", "text/css; charset=utf-8"},
		other:                            {200, "no-cache", "text/css; charset=utf-8"},
		"/static/icon.svg":               {200, "no-cache", "image/svg+xml"},
		"/static/subscribe.js":           {200, "no-cache", "text/javascript; charset=utf-8"},
		"/static/none.css":               {404, "", "text/plain; charset=utf-8"},
		"/static/":                       {404, "", "text/plain; charset=utf-8"},
		"/static/../pages/home.html":     {404, "", "text/plain; charset=utf-8"},
		"/static/x/site.css":             {404, "", "text/plain; charset=utf-8"},
		"/static/..%2fpages%2fhome.html": {404, "", "text/plain; charset=utf-8"},
	} {
		w := httptest.NewRecorder()
		Static(templates.FS).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want.code || w.Header().Get("Cache-Control") != want.cache || w.Header().Get("Content-Type") != want.typeOf {
			t.Errorf("%s: %d %v, want %+v", path, w.Code, w.Header(), want)
		}
	}
	r := httptest.NewRequest("GET", hashed, nil)
	r.Header.Set("If-None-Match", `"`+strings.Split(hashed, ".")[1]+`"`)
	w := httptest.NewRecorder()
	Static(templates.FS).ServeHTTP(w, r)
	if w.Code != 304 {
		t.Errorf("a style that the client has: %d, want 304", w.Code)
	}
	if _, err := assetURL(templates.FS, "none.css"); err == nil {
		t.Error("a file that is not there has an address")
	}
}

func TestDemoCSP(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"http://127.0.0.1:8080/subscribe": "form-action 'self' http://127.0.0.1:8080;",
		"https://news.example.org":        "form-action 'self' https://news.example.org;",
		"/subscribe":                      "form-action 'self' 'self';",
	} {
		csp := DemoCSP(action)
		if !strings.Contains(csp, want) || !strings.Contains(csp, strings.Replace(want, "form-action", "connect-src", 1)) {
			t.Errorf("DemoCSP(%q) = %q, want %q in it", action, csp, want)
		}
	}
}

func TestInFrame(t *testing.T) {
	t.Parallel()
	for mail, want := range map[string]string{
		"<html><head><title>x</title></head>": `<html><head><base target="_blank"><title>x</title></head>`,
		"<p>bare</p>":                         `<base target="_blank"><p>bare</p>`,
	} {
		if got := InFrame(mail); got != want {
			t.Errorf("InFrame(%q) = %q, want %q", mail, got, want)
		}
	}
}
