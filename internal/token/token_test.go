package token_test

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/internal/fault"
	"tidings/internal/token"
)

const id = "0123456789abcdefghijklmnov"

var now = time.Date(2026, 11, 24, 9, 0, 0, 123e6, time.UTC)

func key(id uint16, fill byte) token.Key {
	return token.Key{ID: id, Secret: bytes.Repeat([]byte{fill}, token.MinSecret)}
}

func ring(t testing.TB, signing token.Key, older ...token.Key) *token.Keyring {
	t.Helper()
	r, err := token.NewKeyring(signing, older...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sign(t testing.TB, r *token.Keyring, c token.Claims) string {
	t.Helper()
	text, err := r.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTokensComeBackWhole(t *testing.T) {
	t.Parallel()
	r := ring(t, key(1, 1))
	for _, c := range []token.Claims{
		{token.Confirm, id, now, now.Add(7 * 24 * time.Hour).Truncate(time.Second)},
		{token.Unsubscribe, id, now, time.Time{}},
		{token.Unsubscribe, strings.Repeat("v", 26), time.UnixMilli(0).UTC(), time.Unix(1<<40-1, 0).UTC()},
		{token.Confirm, strings.Repeat("0", 26), time.UnixMilli(1<<48 - 1).UTC(), time.Time{}},
	} {
		text := sign(t, r, c)
		if len(text) != token.Len || url.PathEscape(text) != text {
			t.Errorf("token %q is not %d characters that are safe in a path", text, token.Len)
		}
		got, err := r.Verify(c.Purpose, text, now)
		if err != nil || got != c {
			t.Errorf("got %+v, %v, want %+v", got, err, c)
		}
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	r := ring(t, key(1, 1))
	end := now.Add(time.Hour).Truncate(time.Second)
	text := sign(t, r, token.Claims{Purpose: token.Confirm, Subscriber: id, Issued: now, Expires: end})
	if _, err := r.Verify(token.Confirm, text, end.Add(-time.Millisecond)); err != nil {
		t.Errorf("before its end: %v", err)
	}
	if c, err := r.Verify(token.Confirm, text, end); !fault.Is(err, fault.Gone) || c.Subscriber != id {
		t.Errorf("at its end: %+v, %v, want Gone", c, err)
	}
	if _, err := r.Verify(token.Unsubscribe, text, end); !fault.Is(err, fault.NotFound) {
		t.Errorf("expired and of another purpose: %v, want NotFound", err)
	}
	forever := sign(t, r, token.Claims{Purpose: token.Unsubscribe, Subscriber: id, Issued: now})
	if _, err := r.Verify(token.Unsubscribe, forever, now.AddDate(200, 0, 0)); err != nil {
		t.Errorf("after two centuries: %v", err)
	}
}

func TestOnlyGenuineTokensPass(t *testing.T) {
	t.Parallel()
	r := ring(t, key(1, 1))
	text := sign(t, r, token.Claims{Purpose: token.Confirm, Subscriber: id, Issued: now, Expires: now.Add(time.Hour)})
	bad := map[string]string{
		"empty": "", "words": "test", "padded": text + "=", "longer": text + "A", "line": text[:20] + "\n" + text[20:],
		"plus": strings.Repeat("+", 64), "null": "\x00", "long": strings.Repeat("A", 1<<16),
		"another's":     sign(t, ring(t, key(1, 2)), token.Claims{Purpose: token.Confirm, Subscriber: id, Issued: now, Expires: now.Add(time.Hour)}),
		"unknown key":   sign(t, ring(t, key(9, 1)), token.Claims{Purpose: token.Confirm, Subscriber: id, Issued: now, Expires: now.Add(time.Hour)}),
		"other purpose": sign(t, r, token.Claims{Purpose: token.Unsubscribe, Subscriber: id, Issued: now}),
	}
	for n := range text {
		bad["cut at "+text[:n]] = text[:n]
	}
	raw, _ := base64.RawURLEncoding.DecodeString(text)
	for i := range raw {
		for bit := range 8 {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << bit
			s := base64.RawURLEncoding.EncodeToString(changed)
			bad["bit of "+s] = s
		}
	}
	for name, s := range bad {
		if c, err := r.Verify(token.Confirm, s, now); !fault.Is(err, fault.NotFound) || c != (token.Claims{}) {
			t.Errorf("%s: %+v, %v, want NotFound", name, c, err)
		} else if s != "" && strings.Contains(err.Error(), s) && len(s) > 4 {
			t.Errorf("%s: the error repeats the token", name)
		}
	}
}

func TestKeysChangeWhileLinksLive(t *testing.T) {
	t.Parallel()
	old, young := key(1, 1), key(2, 2)
	c := token.Claims{Purpose: token.Unsubscribe, Subscriber: id, Issued: now}
	before := sign(t, ring(t, old), c)
	r := ring(t, young, old)
	if _, err := r.Verify(token.Unsubscribe, before, now); err != nil {
		t.Errorf("a link from before the change: %v", err)
	}
	after := sign(t, r, c)
	if after == before {
		t.Error("the older key signs")
	}
	if _, err := ring(t, young).Verify(token.Unsubscribe, before, now); !fault.Is(err, fault.NotFound) {
		t.Errorf("a link of a key that was taken away: %v", err)
	}
}

func TestKeyringsAndClaimsAreChecked(t *testing.T) {
	t.Parallel()
	short := token.Key{ID: 1, Secret: []byte("too short a secret")}
	for name, keys := range map[string][]token.Key{"short": {short}, "older short": {key(2, 1), short}, "twice": {key(1, 1), key(1, 2)}, "none": {{}}} {
		if _, err := token.NewKeyring(keys[0], keys[1:]...); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	r := ring(t, key(1, 1))
	for name, c := range map[string]token.Claims{
		"no ID": {}, "short ID": {Subscriber: "abc", Issued: now}, "capitals": {Subscriber: strings.ToUpper(id), Issued: now},
		"long ID": {Subscriber: id + "0", Issued: now}, "no issue time": {Subscriber: id}, "expiry in 1950": {Subscriber: id, Issued: now, Expires: time.Unix(-1, 0)},
		"expiry at the epoch": {Subscriber: id, Issued: now, Expires: time.Unix(0, 0)},
	} {
		if text, err := r.Sign(c); err == nil {
			t.Errorf("%s: signed as %s", name, text)
		}
	}
}

// FuzzVerify looks for a string that passes and is not the one that Sign made for its claims.
func FuzzVerify(f *testing.F) {
	r := ring(f, key(1, 1), key(2, 2))
	f.Add(sign(f, r, token.Claims{Purpose: token.Unsubscribe, Subscriber: id, Issued: now}))
	f.Add(sign(f, r, token.Claims{Purpose: token.Confirm, Subscriber: id, Issued: now, Expires: now.Add(time.Hour)}))
	f.Add("")
	f.Add(strings.Repeat("_", token.Len))
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range []token.Purpose{token.Confirm, token.Unsubscribe, token.Manage, token.Move, 0} {
			c, err := r.Verify(p, text, now)
			if err != nil {
				continue
			}
			if again, err := r.Sign(c); err != nil || again != text {
				t.Errorf("%q passes, but its claims make %q (%v)", text, again, err)
			}
		}
	})
}
