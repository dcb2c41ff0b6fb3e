package token

import "fmt"

// MinSecret is the least length of a key's secret in bytes (RFC 2104 §3: that of the hash's output).
const MinSecret = 32

// A Key signs and verifies.
type Key struct {
	ID     uint16 // stands in each token
	Secret []byte
}

// A Keyring signs with one key and verifies with it and with older ones, so that keys can be changed while links of mails
// already sent go on working. It is safe for concurrent use.
type Keyring struct {
	signing Key
	keys    map[uint16]Key
}

// NewKeyring returns a keyring. No two keys may have the same ID. Its errors hold no secrets.
func NewKeyring(signing Key, older ...Key) (*Keyring, error) {
	r := &Keyring{signing: signing, keys: map[uint16]Key{}}
	for _, k := range append([]Key{signing}, older...) {
		if len(k.Secret) < MinSecret {
			return nil, fmt.Errorf("token key %d has %d bytes, at least %d are needed", k.ID, len(k.Secret), MinSecret)
		}
		if _, twice := r.keys[k.ID]; twice {
			return nil, fmt.Errorf("token key %d stands there twice", k.ID)
		}
		r.keys[k.ID] = k
	}
	return r, nil
}
