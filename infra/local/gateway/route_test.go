package gateway

import (
	"maps"
	"strings"
	"testing"
)

func table(t testing.TB, keys ...string) routes {
	t.Helper()
	var all routes
	for _, k := range keys {
		r, err := parseRoute(k)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if err := all.check(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestMatch(t *testing.T) {
	t.Parallel()
	all := table(t, "GET /", "GET /articles", "GET /articles/{slug}", "GET /articles/new", "GET /static/{file+}",
		"ANY /editor/api/{proxy+}", "GET /editor/api/{proxy+}", "POST /editor/api/digests", "ANY /editor/{proxy+}")
	for _, c := range []struct {
		method, path, want string
		params             map[string]string
	}{
		{"GET", "/", "GET /", nil},
		{"GET", "", "GET /", nil},
		{"GET", "/articles", "GET /articles", nil},
		{"POST", "/articles", "", nil},
		{"HEAD", "/articles", "", nil},
		{"GET", "/articles/", "", nil},
		{"GET", "/articles/new", "GET /articles/new", nil},
		{"GET", "/articles/a%2Fb", "GET /articles/{slug}", map[string]string{"slug": "a/b"}},
		{"GET", "/articles/a/b", "", nil},
		{"GET", "/articles/%zz", "", nil},
		{"GET", "//articles", "", nil},
		{"GET", "/static/css/site.css", "GET /static/{file+}", map[string]string{"file": "css/site.css"}},
		{"GET", "/static", "", nil},
		{"GET", "/static/", "", nil},
		{"GET", "/editor/api/digests", "GET /editor/api/{proxy+}", map[string]string{"proxy": "digests"}},
		{"POST", "/editor/api/digests", "POST /editor/api/digests", nil},
		{"DELETE", "/editor/api/digests/1", "ANY /editor/api/{proxy+}", map[string]string{"proxy": "digests/1"}},
		{"GET", "/editor/sign-in", "ANY /editor/{proxy+}", map[string]string{"proxy": "sign-in"}},
		{"GET", "/nowhere", "", nil},
	} {
		r, params := all.match(c.method, c.path)
		got := ""
		if r != nil {
			got = r.key
		}
		if got != c.want || !maps.Equal(params, c.params) && len(params)+len(c.params) > 0 {
			t.Errorf("%s %s: route %q with %v, want %q with %v", c.method, c.path, got, params, c.want, c.params)
		}
	}
}

func TestBadRoutes(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "GET", "GET articles", " /articles", "GET /a{b}", "GET /{a+}/b", "GET /{}"} {
		if _, err := parseRoute(key); err == nil {
			t.Errorf("%q is a route", key)
		}
	}
	a, _ := parseRoute("GET /a/{x}")
	b, _ := parseRoute("GET /a/{y}")
	if err := (routes{a, b}).check(); err == nil {
		t.Error("two routes that are the same pass")
	}
}

// FuzzMatch sends any path at routes that are alike: what matches is rebuilt from its variables.
func FuzzMatch(f *testing.F) {
	for _, s := range []string{"/", "/a/b", "/a/%2f/c", "/a//", "/s/x/y"} {
		f.Add(s)
	}
	all := table(f, "GET /a/{x}", "GET /a/b", "GET /s/{rest+}", "GET /{x}/{y}", "GET /")
	f.Fuzz(func(t *testing.T, path string) {
		r, params := all.match("GET", path)
		if r == nil {
			return
		}
		for name, v := range params {
			if v == "" || !strings.Contains(r.key, "{"+name) {
				t.Errorf("%q: %s has %s=%q", path, r.key, name, v)
			}
		}
	})
}
