// Package issuer is the identity provider of the local stack: an OpenID Connect issuer with one publisher and one editor,
// who need no password. It wraps mockoidc, which knows the protocol, and adds what a person at a browser and a
// stack with a clock of its own need: a page to choose who one is, groups in every token, times of the stack's clock,
// and a key that outlives a restart.
package issuer

import (
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"tidings/internal/web"
	"tidings/internal/web/pages"
	"tidings/templates"
)

// ClientID is the client that tokens are made for, a public one: it proves itself by PKCE (RFC 7636), not by a secret.
const ClientID = "tidings-editor"

// GroupsClaim is the claim with a person's groups.
const GroupsClaim = "groups"

// How long tokens last, by the stack's clock: those of a sign-in, and those handed out for trying the API by hand.
const (
	signInTTL = time.Hour
	handTTL   = 12 * time.Hour
)

// An Issuer signs tokens. It is safe for concurrent use.
type Issuer struct {
	now   func() time.Time
	pages *web.Responder

	mu   sync.Mutex // mockoidc keeps its sessions in a plain map, and the clock is set for each request
	oidc *mockoidc.MockOIDC
}

// New returns the issuer at an address such as 127.0.0.1:8090. It signs with key, at now's time.
func New(addr string, key *rsa.PrivateKey, now func() time.Time, pages *web.Responder) (*Issuer, error) {
	m, err := mockoidc.NewServer(key)
	if err != nil {
		return nil, fmt.Errorf("make the issuer: %w", err)
	}
	m.ClientID, m.AccessTTL, m.RefreshTTL = ClientID, signInTTL, handTTL
	m.CodeChallengeMethodsSupported = []string{mockoidc.CodeChallengeMethodS256}
	m.Server = &http.Server{Addr: addr} // never started: it is where mockoidc looks up its own address
	if _, err := m.Keypair.KeyID(); err != nil {
		return nil, fmt.Errorf("name the issuer's key: %w", err)
	}
	return &Issuer{now: now, pages: pages, oidc: m}, nil
}

// URL is the issuer's, as it stands in tokens.
func (i *Issuer) URL() string { return i.oidc.Issuer() }

// Handler serves the protocol's endpoints and the page to choose a person.
func (i *Issuer) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+mockoidc.AuthorizationEndpoint, i.authorize)
	mux.HandleFunc("POST "+mockoidc.TokenEndpoint, i.token)
	mux.HandleFunc("GET "+mockoidc.UserinfoEndpoint, i.locked(i.oidc.Userinfo))
	mux.HandleFunc("GET "+mockoidc.JWKSEndpoint, i.locked(i.oidc.JWKS))
	mux.HandleFunc("GET "+mockoidc.DiscoveryEndpoint, i.locked(i.oidc.Discovery))
	mux.Handle("GET /static/", pages.Static(templates.FS))
	mux.Handle("GET /{$}", http.RedirectHandler(mockoidc.DiscoveryEndpoint, http.StatusFound))
	return mux
}

// Token returns an ID token of the person with a role, publisher or editor, as a bearer for the editors' API.
func (i *Issuer) Token(role string) (string, error) {
	p, ok := people[role]
	if !ok {
		return "", fmt.Errorf("nobody has the role %q: there are a publisher and an editor", role)
	}
	cfg := i.oidc.Config()
	cfg.AccessTTL = handTTL
	session := &mockoidc.Session{SessionID: "by-hand", Scopes: []string{"openid"}, User: p}
	i.mu.Lock()
	defer i.mu.Unlock()
	token, err := session.IDToken(cfg, i.oidc.Keypair, i.now())
	if err != nil {
		return "", fmt.Errorf("sign a token for the %s: %w", role, err)
	}
	return token, nil
}

// locked runs a handler of mockoidc alone and at the stack's time.
func (i *Issuer) locked(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.oidc.FastForward(i.now().Sub(i.oidc.Now()))
		h(w, r)
	}
}

// authorize shows who there is, and goes on as the person chosen.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Hostname() != "127.0.0.1" && back.Hostname() != "localhost" {
		http.Error(w, "redirect_uri must lead to this machine", http.StatusBadRequest)
		return
	}
	p, ok := people[q.Get("as")]
	if !ok {
		i.choose(w, r, q)
		return
	}
	i.locked(func(w http.ResponseWriter, r *http.Request) {
		i.oidc.QueueUser(p)
		i.oidc.Authorize(w, r)
		i.oidc.UserQueue.Queue = nil // a request that was refused left its person there
	})(w, r)
}

func (i *Issuer) choose(w http.ResponseWriter, r *http.Request, q url.Values) {
	page := pages.ChoosePage{Client: "The newsletter"}
	for _, role := range []string{"publisher", "editor"} {
		p := people[role]
		q.Set("as", role)
		page.Choices = append(page.Choices, pages.Choice{URL: mockoidc.AuthorizationEndpoint + "?" + q.Encode(), Name: p.Name, Role: role, Note: p.note})
	}
	w.Header().Set("Content-Security-Policy", pages.CSP)
	w.Header().Set("Cache-Control", "no-store")
	i.pages.Page(w, r, http.StatusOK, "local/oidc-choose", web.View{Title: "Who are you?", NoIndex: true, Data: page})
}

// token exchanges a code. A client that proves itself by PKCE needs no secret, which mockoidc asks of all.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the body is no form", http.StatusBadRequest)
		return
	}
	if r.Form.Get("code_verifier") != "" && r.Form.Get("client_secret") == "" {
		r.Form.Set("client_secret", i.oidc.ClientSecret)
	}
	i.locked(i.oidc.Token)(w, r)
}

// A person signs in; it implements mockoidc.User.
type person struct {
	Subject string   `json:"-"`
	Name    string   `json:"name"`
	Email   string   `json:"email"`
	Groups  []string `json:"groups"`
	note    string
}

// people by their roles. A publisher may do what an editor may.
var people = map[string]*person{
	"publisher": {"local-publisher", "Paula Reyes", "paula@cedarlane.example", []string{"publisher"}, "Writes, and also schedules, pauses and cancels digests."},
	"editor":    {"local-editor", "Edgar Boone", "edgar@cedarlane.example", []string{"editor"}, "Writes articles and digests, previews and tests them."},
}

// ID implements mockoidc.User.
func (p *person) ID() string { return p.Subject }

// Userinfo implements mockoidc.User.
func (p *person) Userinfo([]string) ([]byte, error) {
	return fmt.Appendf(nil, `{"sub":%q,"name":%q,"email":%q}`, p.Subject, p.Name, p.Email), nil
}

// Claims implements mockoidc.User. Groups stand in every token, as Cognito has them, whatever scopes were asked for.
func (p *person) Claims(_ []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	return struct {
		*mockoidc.IDTokenClaims
		person
	}{base, *p}, nil
}
