package app

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"tidings/internal/audience"
	"tidings/internal/fault"
	"tidings/internal/token"
)

const aSubscriber = "0123456789abcdefghijklmnop"

func freshKeys(t *testing.T) []byte {
	t.Helper()
	raw, err := NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestFreshKeysWork(t *testing.T) {
	t.Parallel()
	raw := freshKeys(t)
	a, err := ParseKeys(raw)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseKeys(append(raw, '\n'))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	text, err := a.Tokens.Sign(token.Claims{Purpose: token.Unsubscribe, Subscriber: aSubscriber, Issued: now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Tokens.Verify(token.Unsubscribe, text, now); err != nil {
		t.Errorf("read again, the keys know their own link no more: %v", err)
	}
	address := audience.Address{Canonical: "a@example.org"}
	if a.Identity.ID(address) != b.Identity.ID(address) {
		t.Error("read again, the keys make another ID")
	}
	if bytes.Equal(raw, freshKeys(t)) || bytes.Equal(a.Identity.IDKey, a.Identity.IPKey) {
		t.Error("keys repeat")
	}
	if len(raw) > 4096 { // a standard parameter of SSM holds 4 KB
		t.Errorf("%d bytes", len(raw))
	}
	if _, err := NewKeys(iotest.ErrReader(errors.New("no chance"))); err == nil {
		t.Error("keys without chance")
	}
}

// What the document of keys is told to do to change the key of links.
func TestChangingTheKeyOfLinks(t *testing.T) {
	t.Parallel()
	var d keysDocument
	if err := json.Unmarshal(freshKeys(t), &d); err != nil {
		t.Fatal(err)
	}
	parse := func() Keys {
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		k, err := ParseKeys(raw)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	now := time.Now()
	text, err := parse().Tokens.Sign(token.Claims{Purpose: token.Unsubscribe, Subscriber: aSubscriber, Issued: now})
	if err != nil {
		t.Fatal(err)
	}
	d.Tokens.Older = append(d.Tokens.Older, d.Tokens.Signing)
	d.Tokens.Signing = keyDocument{ID: 2, Key: bytes.Repeat([]byte{2}, 32)}
	if _, err := parse().Tokens.Verify(token.Unsubscribe, text, now); err != nil {
		t.Errorf("a link from before: %v", err)
	}
	d.Tokens.Older = nil
	if _, err := parse().Tokens.Verify(token.Unsubscribe, text, now); !fault.Is(err, fault.NotFound) {
		t.Errorf("a link of a key that is gone: %v", err)
	}
}

func TestBadKeysAreNamedAndNotShown(t *testing.T) {
	t.Parallel()
	good := string(freshKeys(t))
	secret := base64.StdEncoding.EncodeToString([]byte("a secret that is too short"))
	for name, c := range map[string]struct{ raw, says string }{
		"empty":     {"", "not JSON"},
		"cut":       {good[:len(good)/2], "not JSON"},
		"not keys":  {`{"idKey":"` + secret + `"}`, "ipKey"},
		"short":     {`{"idKey":"` + secret + `","ipKey":"` + secret + `"}`, "idKey has 26 bytes"},
		"base64":    {`{"idKey":"` + secret + `!"}`, "base64"},
		"number":    {`{"idKey":12345678901234567890}`, "idKey has the wrong type"},
		"no tokens": {strings.Replace(good, `"signing"`, `"signed"`, 1), "token key 0 has 0 bytes"},
		"twice":     {strings.Replace(good, `"older":[]`, `"older":[`+good[strings.Index(good, `{"id"`):strings.Index(good, `,"older"`)]+`]`, 1), "twice"},
		"negative":  {strings.Replace(good, `"id":1`, `"id":-1`, 1), "wrong type"},
	} {
		k, err := ParseKeys([]byte(c.raw))
		if err == nil || !strings.Contains(err.Error(), c.says) || k.Tokens != nil {
			t.Errorf("%s: %v, want %q", name, err, c.says)
			continue
		}
		var d keysDocument
		json.Unmarshal([]byte(good), &d)
		for _, s := range []string{secret, "a secret", "12345678901234567890", base64.StdEncoding.EncodeToString(d.IDKey), base64.StdEncoding.EncodeToString(d.Tokens.Signing.Key)} {
			if strings.Contains(err.Error(), s) {
				t.Errorf("%s: the error shows a key: %v", name, err)
			}
		}
	}
}
