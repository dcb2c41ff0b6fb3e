package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"tidings/internal/fault"
	"tidings/internal/oidc"
)

const client = "client-1"

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func key(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// An issuer publishes its discovery document and keys, and counts who asks.
type issuer struct {
	*httptest.Server
	mu      sync.Mutex
	keys    map[string]*rsa.PrivateKey // by key ID
	down    atomic.Bool
	asked   atomic.Int64
	keysets atomic.Int64
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{keys: map[string]*rsa.PrivateKey{"k1": key(t)}}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.asked.Add(1)
	if i.down.Load() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	if r.URL.Path == "/.well-known/openid-configuration" {
		json.NewEncoder(w).Encode(map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"none", "HS256", "RS256"}})
		return
	}
	i.keysets.Add(1)
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []map[string]string
	for id, k := range i.keys {
		all = append(all, map[string]string{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id,
			"n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.E)).Bytes())})
	}
	json.NewEncoder(w).Encode(map[string]any{"keys": all})
}

// claims are a good ID token's, with changes; a nil value removes one.
func (i *issuer) claims(changes jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{"iss": i.URL, "aud": client, "sub": "editor-1", "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(),
		"groups": []string{"publisher", "staff"}}
	for k, v := range changes {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func sign(t testing.TB, k any, method jwt.SigningMethod, id string, c jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = id
	s, err := token.SignedString(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (i *issuer) token(t testing.TB, changes jwt.MapClaims) string {
	t.Helper()
	return sign(t, i.keys["k1"], jwt.SigningMethodRS256, "k1", i.claims(changes))
}

func (i *issuer) verifier() *oidc.Verifier {
	return oidc.New(i.URL, client, "groups", func() time.Time { return now })
}

func TestGoodTokens(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := i.verifier()
	for _, c := range []struct {
		name    string
		changes jwt.MapClaims
		groups  string
	}{
		{"ID token", nil, "publisher,staff"},
		{"of Cognito", jwt.MapClaims{"token_use": "id"}, "publisher,staff"},
		{"for others too", jwt.MapClaims{"aud": []string{"other", client}, "azp": client}, "publisher,staff"},
		{"access token of Cognito", jwt.MapClaims{"aud": nil, "token_use": "access", "client_id": client}, "publisher,staff"},
		{"one group as a word", jwt.MapClaims{"groups": "editor"}, "editor"},
		{"no groups", jwt.MapClaims{"groups": nil}, ""},
		{"groups of another type", jwt.MapClaims{"groups": 7}, ""},
		{"groups in another claim", jwt.MapClaims{"groups": nil, "cognito:groups": []string{"publisher"}}, ""},
		{"in its last second", jwt.MapClaims{"exp": now.Unix()}, "publisher,staff"},
	} {
		subject, groups, err := v.Verify(t.Context(), i.token(t, c.changes))
		if err != nil || subject != "editor-1" || strings.Join(groups, ",") != c.groups {
			t.Errorf("%s: %s %v %v", c.name, subject, groups, err)
		}
	}
	if n := i.asked.Load(); n != 2 {
		t.Errorf("the issuer was asked %d times, want once for its document and once for its keys", n)
	}
	cognito := oidc.New(i.URL, client, "cognito:groups", func() time.Time { return now })
	_, groups, err := cognito.Verify(t.Context(), i.token(t, jwt.MapClaims{"cognito:groups": []string{"editor"}}))
	if err != nil || !slices.Equal(groups, []string{"editor"}) {
		t.Errorf("Cognito's claim: %v %v", groups, err)
	}
}

func TestBadTokens(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := i.verifier()
	good := i.token(t, nil)
	parts := strings.Split(good, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	forged := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), "staff", "chief", 1)))
	for name, token := range map[string]string{
		"empty":                  "",
		"nonsense":               "nonsense",
		"huge":                   strings.Repeat("a", 20<<10),
		"cut":                    good[:len(good)-9],
		"changed":                parts[0] + "." + forged + "." + parts[2],
		"no signature":           parts[0] + "." + parts[1] + ".",
		"alg none":               sign(t, jwt.UnsafeAllowNoneSignatureType, jwt.SigningMethodNone, "k1", i.claims(nil)),
		"HMAC with the key":      sign(t, i.keys["k1"].N.Bytes(), jwt.SigningMethodHS256, "k1", i.claims(nil)),
		"key of a stranger":      sign(t, key(t), jwt.SigningMethodRS256, "k1", i.claims(nil)),
		"key that is not known":  sign(t, key(t), jwt.SigningMethodRS256, "k9", i.claims(nil)),
		"wrong issuer":           i.token(t, jwt.MapClaims{"iss": "https://issuer.example.org"}),
		"no issuer":              i.token(t, jwt.MapClaims{"iss": nil}),
		"wrong audience":         i.token(t, jwt.MapClaims{"aud": "client-2"}),
		"given to someone else":  i.token(t, jwt.MapClaims{"aud": []string{client, "client-2"}, "azp": "client-2"}),
		"for others, from none":  i.token(t, jwt.MapClaims{"aud": []string{client, "client-2"}}),
		"no audience":            i.token(t, jwt.MapClaims{"aud": nil}),
		"access, other client":   i.token(t, jwt.MapClaims{"aud": nil, "token_use": "access", "client_id": "client-2"}),
		"client, but not access": i.token(t, jwt.MapClaims{"aud": nil, "token_use": "refresh", "client_id": client}),
		"access with audience":   i.token(t, jwt.MapClaims{"token_use": "access"}),
		"expired":                i.token(t, jwt.MapClaims{"exp": now.Unix() - 1}),
		"without expiry":         i.token(t, jwt.MapClaims{"exp": nil}),
		"not yet":                i.token(t, jwt.MapClaims{"nbf": now.Add(time.Hour).Unix()}),
		"without subject":        i.token(t, jwt.MapClaims{"sub": ""}),
	} {
		_, groups, err := v.Verify(t.Context(), token)
		if !fault.Is(err, fault.Unauthenticated) || groups != nil {
			t.Errorf("%s: %v %v", name, groups, err)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := i.verifier()
	if _, _, err := v.Verify(t.Context(), i.token(t, nil)); err != nil {
		t.Fatal(err)
	}
	next := key(t)
	i.mu.Lock()
	i.keys["k2"] = next
	i.mu.Unlock()
	for range 3 {
		if _, _, err := v.Verify(t.Context(), sign(t, next, jwt.SigningMethodRS256, "k2", i.claims(nil))); err != nil {
			t.Fatal(err)
		}
	}
	if n := i.keysets.Load(); n != 2 {
		t.Errorf("keys were fetched %d times, want 2", n)
	}
}

func TestIssuerDown(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := i.verifier()
	token := i.token(t, nil)
	i.down.Store(true)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if _, _, err := v.Verify(t.Context(), token); !fault.Is(err, fault.Unavailable) {
				t.Errorf("no discovery: %v", err)
			}
		})
	}
	wg.Wait()
	i.down.Store(false)
	if _, _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatalf("back again: %v", err)
	}
	i.down.Store(true)
	if _, _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("known keys: %v", err)
	}
	if _, _, err := v.Verify(t.Context(), sign(t, key(t), jwt.SigningMethodRS256, "k2", i.claims(nil))); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a key that can't be fetched: %v", err)
	}
	i.Close()
	if _, _, err := oidc.New(i.URL, client, "groups", func() time.Time { return now }).Verify(t.Context(), token); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody listens: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := i.verifier().Verify(ctx, token); !fault.Is(err, fault.Unavailable) {
		t.Errorf("cancelled: %v", err)
	}
}

// The local stack's issuer is mockoidc: its ID tokens must do.
func TestMockoidc(t *testing.T) {
	t.Parallel()
	m, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Shutdown() })
	at := time.Now()
	session, err := m.SessionStore.NewSession("openid profile groups", "", &mockoidc.MockUser{Subject: "p1", Groups: []string{"publisher"}}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := session.IDToken(m.Config(), m.Keypair, at)
	if err != nil {
		t.Fatal(err)
	}
	clock := at
	v := oidc.New(m.Issuer(), m.ClientID, "groups", func() time.Time { return clock })
	subject, groups, err := v.Verify(t.Context(), token)
	if err != nil || subject != "p1" || !slices.Equal(groups, []string{"publisher"}) {
		t.Errorf("%s %v %v", subject, groups, err)
	}
	clock = at.Add(m.AccessTTL + time.Minute) // expiry follows the injected clock
	if _, _, err := v.Verify(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("after its end: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	i := newIssuer(f)
	v := i.verifier()
	good := i.token(f, nil)
	f.Add(good[:len(good)-1])
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if _, _, err := v.Verify(context.Background(), token); token != good && !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%q: %v", token, err)
		}
	})
}
