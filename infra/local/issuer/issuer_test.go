package issuer

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"tidings/internal/web"
	"tidings/internal/web/pages"
	"tidings/templates"
)

// a month ahead of this machine's clock, as after an advance of the stack's.
var stackNow = time.Now().Add(30 * 24 * time.Hour)

func start(t *testing.T, now func() time.Time) (*Issuer, string) {
	t.Helper()
	key, err := Key(filepath.Join(t.TempDir(), "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := pages.New(templates.FS, pages.Site{Name: "Cedar Lane Clinic"})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(nil)
	i, err := New(s.Listener.Addr().String(), key, now, &web.Responder{Pages: p, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler = i.Handler()
	s.Start()
	t.Cleanup(s.Close)
	return i, s.URL
}

// verify checks a token as the editors' API does, with go-oidc, at a time.
func verify(t *testing.T, i *Issuer, token string, at time.Time) (groups []string, err error) {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), i.URL())
	if err != nil {
		t.Fatal(err)
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: ClientID, Now: func() time.Time { return at }}).Verify(t.Context(), token)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	for _, g := range claims[GroupsClaim].([]any) {
		groups = append(groups, g.(string))
	}
	return groups, nil
}

func TestToken(t *testing.T) {
	t.Parallel()
	i, _ := start(t, func() time.Time { return stackNow })
	for _, role := range []string{"publisher", "editor"} {
		token, err := i.Token(role)
		if err != nil {
			t.Fatal(err)
		}
		if groups, err := verify(t, i, token, stackNow.Add(time.Hour)); err != nil || len(groups) != 1 || groups[0] != role {
			t.Errorf("%s has the groups %v, %v", role, groups, err)
		}
		if _, err := verify(t, i, token, stackNow.Add(13*time.Hour)); err == nil {
			t.Errorf("the %s's token never ends", role)
		}
	}
	if _, err := i.Token("visitor"); err == nil {
		t.Error("a visitor has a token")
	}
}

var choice = regexp.MustCompile(`href="(/oidc/authorize\?as=editor&[^"]*)"`)

// TestSignIn goes through the code flow with PKCE as a browser and the site do.
func TestSignIn(t *testing.T) {
	t.Parallel()
	i, base := start(t, func() time.Time { return stackNow })
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {ClientID}, "response_type": {"code"}, "scope": {"openid email"}, "state": {"st"}, "nonce": {"no"},
		"redirect_uri":   {"http://127.0.0.1:8080/editor/callback"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	status, page, _ := get(t, base+"/oidc/authorize?"+q.Encode())
	m := choice.FindStringSubmatch(page)
	if status != 200 || m == nil || !strings.Contains(page, "Edgar Boone") {
		t.Fatalf("page %d: %s", status, page)
	}
	status, _, location := get(t, base+html.UnescapeString(m[1]))
	back, err := url.Parse(location)
	if status != 302 || err != nil || back.Query().Get("state") != "st" || back.Path != "/editor/callback" {
		t.Fatalf("%d to %s", status, location)
	}
	code := url.Values{"client_id": {ClientID}, "grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "code_verifier": {verifier}}
	wrong := url.Values{"client_id": {ClientID}, "grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}}
	if status, _ := post(t, base+"/oidc/token", wrong); status != 400 {
		t.Errorf("without verifier or secret: %d", status)
	}
	status, answer := post(t, base+"/oidc/token", code)
	token, _ := answer["id_token"].(string)
	groups, err := verify(t, i, token, stackNow)
	if status != 200 || err != nil || len(groups) != 1 || groups[0] != "editor" {
		t.Fatalf("token %d: groups %v, %v", status, groups, err)
	}
	if status, _ := post(t, base+"/oidc/token", code); status != 401 {
		t.Errorf("a code works twice: %d", status)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	i, base := start(t, time.Now)
	if status, _, _ := get(t, base+"/oidc/authorize?as=editor&redirect_uri=https://example.org/"); status != 400 {
		t.Errorf("a redirect to elsewhere: %d", status)
	}
	// A refused request must not lend its person to the next one.
	if status, _, _ := get(t, base+"/oidc/authorize?as=publisher&redirect_uri=http://127.0.0.1/"); status != 400 || len(i.oidc.UserQueue.Queue) != 0 {
		t.Errorf("without a client: %d, %d in the queue", status, len(i.oidc.UserQueue.Queue))
	}
	if status, _, to := get(t, base+"/"); status != 302 || to != "/oidc/.well-known/openid-configuration" {
		t.Errorf("root: %d to %s", status, to)
	}
}

// TestKey checks that the key is kept, and that a broken file is not replaced without a word.
func TestKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.pem")
	first, err := Key(path)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Key(path); err != nil || !again.Equal(first) {
		t.Errorf("after a restart the key is another: %v", err)
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Key(path); err == nil {
		t.Error("nonsense is a key")
	}
}

func get(t *testing.T, u string) (status int, body, location string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", u, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header.Get("Location")
}

func post(t *testing.T, u string, form url.Values) (int, map[string]any) {
	t.Helper()
	res, err := http.PostForm(u, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, answer
}
