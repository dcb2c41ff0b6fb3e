package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"tidings/internal/oidc"
	"tidings/internal/web"
)

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	for _, c := range []struct {
		name, header string
		status       int
		challenge    string
	}{
		{"nothing", "", 401, `Bearer realm="tidings"`},
		{"password", "Basic ZTpw", 401, `Bearer realm="tidings"`},
		{"no token", "Bearer", 401, `Bearer realm="tidings"`},
		{"blank token", "Bearer  ", 401, `Bearer realm="tidings"`},
		{"forged", "Bearer forged", 401, `Bearer realm="tidings", error="invalid_token"`},
		{"editor", "Bearer ed", 200, ""},
		{"editor, scheme in lower case", "bearer ed", 200, ""},
		{"publisher", "Bearer pub", 200, ""},
		{"no role", "Bearer guest", 403, ""},
		{"no groups", "Bearer nobody", 403, ""},
	} {
		for _, accept := range []string{"*/*", "text/html"} {
			w := s.ask("GET", "/editor/api/articles", "", "Authorization: "+c.header, "Accept: "+accept)
			if w.Code != c.status || w.Header().Get("WWW-Authenticate") != c.challenge {
				t.Errorf("%s: %d, challenge %q", c.name, w.Code, w.Header().Get("WWW-Authenticate"))
			}
			if got := w.Header().Get("Content-Type"); c.status != 200 && got != "application/problem+json" {
				t.Errorf("%s: %s for %s", c.name, got, accept)
			}
		}
	}
	if s.Log.Len() > 0 {
		t.Errorf("logged %s", s.Log)
	}
	w := s.ask("GET", "/editor/api/articles", "", "Authorization: Bearer later")
	if w.Code != 503 || strings.Contains(w.Body.String(), "refused") || strings.Count(s.Log.String(), "\n") != 1 || !strings.Contains(s.Log.String(), "connection refused") {
		t.Errorf("issuer down: %d %s, logged %s", w.Code, w.Body, s.Log)
	}
}

// Every route of the API, with what an editor gets for something that does not exist: 404 when the role is enough.
func TestRolesOfRoutes(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	for route, editor := range map[string]int{
		"POST /editor/api/articles":                  415,
		"POST /editor/api/articles/import":           415,
		"GET /editor/api/articles":                   200,
		"GET /editor/api/articles/x":                 404,
		"PATCH /editor/api/articles/x":               415,
		"DELETE /editor/api/articles/x":              404,
		"POST /editor/api/digests":                   415,
		"GET /editor/api/digests":                    200,
		"GET /editor/api/digests/x":                  404,
		"PATCH /editor/api/digests/x":                415,
		"DELETE /editor/api/digests/x":               404,
		"GET /editor/api/digests/x/preview":          404,
		"POST /editor/api/digests/x/test":            415,
		"POST /editor/api/digests/x/duplicate":       404,
		"GET /editor/api/digests/x/report":           403,
		"POST /editor/api/digests/x/schedule":        403,
		"POST /editor/api/digests/x/cancel":          403,
		"POST /editor/api/digests/x%2F/cancel":       403,
		"POST /editor/api/subscribers/search":        403,
		"POST /editor/api/subscribers/x/erase":       403,
		"POST /editor/api/subscribers/x/unsubscribe": 403,
		"GET /editor/api/nothing":                    404,
		"GET /editor/api/":                           404,
		"PUT /editor/api/digests/x":                  405,
		"GET /editor/api/digests/x/schedule":         405,
		"POST /editor/api/digests/x/schedule/y":      404,
	} {
		method, path, _ := strings.Cut(route, " ")
		if w := s.ask(method, path, ""); w.Code != 401 {
			t.Errorf("%s without a token: %d", route, w.Code)
		}
		if w := s.ask(method, path, "", "Authorization: Bearer guest"); w.Code != 403 {
			t.Errorf("%s without a role: %d", route, w.Code)
		}
		w := s.ask(method, path, "", "Authorization: Bearer ed")
		if w.Code != editor {
			t.Errorf("%s as an editor: %d, want %d", route, w.Code, editor)
		}
		if w.Code == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s: no Allow", route)
		}
		if w := s.ask(method, path, "", "Authorization: Bearer pub"); w.Code == 403 || w.Code == 401 || editor != 403 && w.Code != editor {
			t.Errorf("%s as a publisher: %d", route, w.Code)
		}
	}
}

// The middleware with the issuer of the local stack and the verifier in use.
func TestTokensOfAnIssuer(t *testing.T) {
	t.Parallel()
	m, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Shutdown() })
	s := newEditorSite(t)
	at := time.Now()
	api := http.NewServeMux()
	api.HandleFunc("POST /editor/api/digests/{id}/schedule", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	front := s.Handler.(web.Front)
	front.Mux = http.NewServeMux()
	verifier := oidc.New(m.Issuer(), m.ClientID, "groups", func() time.Time { return at })
	web.Auth{Responder: front.Responder, Verifier: verifier, API: api}.Register(front.Mux)
	s.Handler = front
	for group, want := range map[string]int{"publisher": 204, "editor": 403, "staff": 403} {
		session, err := m.SessionStore.NewSession("openid groups", "", &mockoidc.MockUser{Subject: "x", Groups: []string{group}}, "", "")
		if err != nil {
			t.Fatal(err)
		}
		token, err := session.IDToken(m.Config(), m.Keypair, at)
		if err != nil {
			t.Fatal(err)
		}
		if w := s.ask("POST", "/editor/api/digests/x/schedule", "", "Authorization: Bearer "+token); w.Code != want {
			t.Errorf("%s: %d %s", group, w.Code, w.Body)
		}
		if w := s.ask("POST", "/editor/api/digests/x/schedule", "", "Authorization: Bearer "+token+"x"); w.Code != 401 {
			t.Errorf("%s with a changed token: %d", group, w.Code)
		}
	}
	if s.Log.Len() > 0 {
		t.Errorf("logged %s", s.Log)
	}
}
