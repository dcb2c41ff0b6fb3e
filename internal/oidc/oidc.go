// Package oidc verifies the tokens that editors carry, with the issuer's published keys. It exists so that who may edit is decided
// by the clinic's own identity provider, and Tidings keeps no password.
package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/sync/singleflight"

	"tidings/internal/fault"
)

const (
	issuerTimeout = 5 * time.Second // for one request to the issuer: who waits is a person
	maxToken      = 16 << 10        // bytes; API Gateway takes 10 KB of headers
)

// A Verifier verifies bearer tokens: ID tokens of one client, or access tokens that Cognito issued to it. The issuer is asked for
// its keys at the first token, and again when one names a key that is not known. It is safe for concurrent use.
type Verifier struct {
	issuer, client, groups string
	now                    func() time.Time
	http                   *http.Client

	discovery singleflight.Group
	found     atomic.Pointer[oidc.IDTokenVerifier]
}

// New returns a verifier of the issuer's tokens for a client. Groups are read from the named claim: "cognito:groups", or
// "groups" for many others. It does not speak to the issuer yet, so that a function starts without it.
func New(issuer, client, groups string, now func() time.Time) *Verifier {
	return &Verifier{
		issuer: issuer, client: client, groups: groups, now: now,
		http: &http.Client{Timeout: issuerTimeout, Transport: onlyOK{http.DefaultTransport}},
	}
}

// Verify returns whom a token is of, and the groups that it names; a token without them has none. A token that is not valid
// is fault.Unauthenticated; when that can't be told, since the issuer does not answer, it is fault.Unavailable with the cause.
func (v *Verifier) Verify(ctx context.Context, token string) (subject string, groups []string, err error) {
	if token == "" || len(token) > maxToken {
		return "", nil, invalid()
	}
	verifier, err := v.verifier(ctx)
	if err != nil {
		return "", nil, unavailable("find the keys of the issuer", err)
	}
	var fetch fetchError
	t, err := verifier.Verify(context.WithValue(ctx, fetchKey{}, &fetch), token)
	if fetch.err != nil {
		return "", nil, unavailable("fetch the keys of the issuer", fetch.err)
	}
	if err != nil {
		return "", nil, invalid()
	}
	var claims map[string]json.RawMessage
	if err := t.Claims(&claims); err != nil || t.Subject == "" || !v.mine(t.Audience, claims) {
		return "", nil, invalid()
	}
	return t.Subject, texts(claims[v.groups]), nil
}

// mine reports whether a token was issued to the client: ID tokens name it in aud, and in azp when they are for others too
// (OpenID Connect Core §3.1.3.7). Cognito's access tokens have no aud but client_id, and say in token_use what they are.
func (v *Verifier) mine(audience []string, claims map[string]json.RawMessage) bool {
	if use := text(claims["token_use"]); len(audience) == 0 {
		return use == "access" && text(claims["client_id"]) == v.client
	} else if use != "" && use != "id" {
		return false
	}
	azp := text(claims["azp"])
	return slices.Contains(audience, v.client) && (azp == v.client || azp == "" && len(audience) == 1)
}

// verifier returns go-oidc's verifier, after it has discovered the issuer. Those who ask at the same time wait for one answer; a
// failure is not remembered.
func (v *Verifier) verifier(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	if found := v.found.Load(); found != nil {
		return found, nil
	}
	done := v.discovery.DoChan("", func() (any, error) {
		ctx := oidc.ClientContext(context.WithoutCancel(ctx), v.http)
		p, err := oidc.NewProvider(ctx, v.issuer)
		if err != nil {
			return nil, err
		}
		var doc struct {
			Keys       string   `json:"jwks_uri"`
			Algorithms []string `json:"id_token_signing_alg_values_supported"`
		}
		if err := p.Claims(&doc); err != nil {
			return nil, err
		}
		// The client is checked in mine. Only what is signed with a private key is taken, never "none" or a shared secret.
		config := oidc.Config{SkipClientIDCheck: true, Now: v.now, SupportedSigningAlgs: asymmetric(doc.Algorithms)}
		found := oidc.NewVerifier(v.issuer, keySet{oidc.NewRemoteKeySet(ctx, doc.Keys)}, &config)
		v.found.Store(found)
		return found, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*oidc.IDTokenVerifier), nil
	}
}

// asymmetric returns those of the issuer's algorithms that sign with a private key, or the one that every issuer has.
func asymmetric(all []string) []string {
	known := []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
	var out []string
	for _, a := range all {
		if slices.Contains(known, a) {
			out = append(out, a)
		}
	}
	if out == nil {
		return []string{oidc.RS256}
	}
	return out
}

func invalid() error {
	return fault.New(fault.Unauthenticated, "The token is not valid, or not any more. Sign in again.")
}

func unavailable(op string, cause error) error {
	return fmt.Errorf("%s: %w: %w", op, cause, fault.New(fault.Unavailable, "Sign-ins can't be checked at the moment. Please try again soon."))
}

// A keySet is the issuer's keys. go-oidc's verifier flattens errors, so that one of fetching is kept aside in the context.
type keySet struct{ *oidc.RemoteKeySet }

type (
	fetchKey   struct{}
	fetchError struct{ err error }
)

// VerifySignature implements oidc.KeySet.
func (k keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.RemoteKeySet.VerifySignature(ctx, jwt)
	_, failed := errors.AsType[*url.Error](err)
	if failed || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		ctx.Value(fetchKey{}).(*fetchError).err = err
	}
	return payload, err
}

// onlyOK makes an error of any answer but 200, as of an answer that does not come.
type onlyOK struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t onlyOK) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.RoundTripper.RoundTrip(r)
	if err == nil && res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, fmt.Errorf("issuer answered %s", res.Status)
	}
	return res, err
}

// text returns a claim that is a string, "" for any other.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// texts returns a claim that is a list of strings, or one string; nil for any other.
func texts(raw json.RawMessage) []string {
	var all []string
	if json.Unmarshal(raw, &all) == nil {
		return all
	}
	if s := text(raw); s != "" {
		return []string{s}
	}
	return nil
}
