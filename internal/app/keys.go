package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"tidings/internal/audience"
	"tidings/internal/token"
)

// Keys are the secrets of a deployment: one JSON document in an SSM SecureString. `make keys` makes a fresh one. To change the
// key of links, put a new one in "signing", with an ID that was never used, and the old one first in "older".
type Keys struct {
	Identity audience.Identity
	Tokens   *token.Keyring
}

// keysDocument is the document; bytes are base64.
type keysDocument struct {
	IDKey  []byte `json:"idKey"` // never changes: it makes the subscribers' IDs
	IPKey  []byte `json:"ipKey"`
	Tokens struct {
		Signing keyDocument   `json:"signing"`
		Older   []keyDocument `json:"older"`
	} `json:"tokens"`
}

type keyDocument struct {
	ID  uint16 `json:"id"`
	Key []byte `json:"key"`
}

// minKey is the least length of the keys for HMAC-SHA256 in bytes.
const minKey = 32

// ParseKeys reads the document. Its errors, which are logged, name what is wrong and hold nothing of the document.
func ParseKeys(raw []byte) (Keys, error) {
	var d keysDocument
	if err := json.Unmarshal(raw, &d); err != nil {
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && t.Field != "" {
			return Keys{}, fmt.Errorf("keys: the member %s has the wrong type", t.Field)
		}
		return Keys{}, errors.New("keys: the document is not JSON with keys in base64; make one with `make keys`")
	}
	var all []error
	for _, k := range []struct {
		name string
		key  []byte
	}{{"idKey", d.IDKey}, {"ipKey", d.IPKey}} {
		if len(k.key) < minKey {
			all = append(all, fmt.Errorf("keys: %s has %d bytes, at least %d are needed", k.name, len(k.key), minKey))
		}
	}
	older := make([]token.Key, len(d.Tokens.Older))
	for i, k := range d.Tokens.Older {
		older[i] = token.Key{ID: k.ID, Secret: k.Key}
	}
	ring, err := token.NewKeyring(token.Key{ID: d.Tokens.Signing.ID, Secret: d.Tokens.Signing.Key}, older...)
	if err != nil {
		all = append(all, fmt.Errorf("keys: tokens: %w", err))
	}
	if err := errors.Join(all...); err != nil {
		return Keys{}, err
	}
	return Keys{audience.Identity{IDKey: d.IDKey, IPKey: d.IPKey}, ring}, nil
}

// NewKeys makes a document of fresh keys.
func NewKeys(random io.Reader) ([]byte, error) {
	var d keysDocument
	d.Tokens.Signing.ID, d.Tokens.Older = 1, []keyDocument{}
	for _, key := range []*[]byte{&d.IDKey, &d.IPKey, &d.Tokens.Signing.Key} {
		*key = make([]byte, minKey)
		if _, err := io.ReadFull(random, *key); err != nil {
			return nil, fmt.Errorf("make keys: %w", err)
		}
	}
	return json.Marshal(d)
}
