// Package token makes and checks the signed links of mails. It exists so that a link proves by itself whom it is about and
// what it may do: nothing is kept for it, and nobody can make one or turn one into another.
//
// A token is 48 bytes, and so 64 characters of base64url without padding, which stand in a URL's path as they are:
//
//	 0  1  version, now 1
//	 1  2  ID of the key that signed
//	 3  1  purpose
//	 4 17  subscriber's ID: 26 characters of base32hex are 130 bits; the last 6 are zero
//	21  6  issue time, Unix milliseconds
//	27  5  expiry, Unix seconds; 0: never
//	32 16  the first half of an HMAC-SHA256 of all before (RFC 2104 §5: not less than half)
//
// Every byte is signed or part of the signature and no bits are left over, so that a token has one spelling.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"tidings/internal/fault"
)

// A Purpose is what a token may be used for. Purposes do not mix.
type Purpose byte

// The purposes. Their numbers are signed, and stay.
const (
	Confirm     Purpose = 1 // ends a double opt-in
	Unsubscribe Purpose = 2 // can only leave, and never expires
	// Manage opens preferences, and never expires. Mails get forwarded, so what can't be undone needs a fresh one: see Fresh.
	Manage Purpose = 3
	// Move confirms an address as the new one of a subscriber, and is about whoever has that address. Which subscriber it is, is
	// kept with the request of Issued's time.
	Move Purpose = 4
)

// Claims is what a token says.
type Claims struct {
	Purpose    Purpose
	Subscriber string    // ID: 26 characters of lower-case base32hex
	Issued     time.Time // to the millisecond. Of Confirm: when the pending episode began, which is the episode's name
	Expires    time.Time // to the second; zero: never
}

// FreshFor is how old a token may be that exports, erases or changes an address.
const FreshFor = 24 * time.Hour

// Fresh reports whether the token was made in the last FreshFor.
func (c Claims) Fresh(now time.Time) bool { return now.Before(c.Issued.Add(FreshFor)) }

// Len is the length of a token in characters.
const Len = 64

const (
	version = 1
	signed  = 32 // bytes before the signature
	macLen  = 16
	size    = signed + macLen
	idLen   = 26
	idBytes = 17
)

// encoding refuses line breaks and stray bits, as other decoders do not.
var encoding = base64.RawURLEncoding.Strict()

var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// Sign makes a token. It fails on claims that have no place in one, which is a mistake of the program's.
func (r *Keyring) Sign(c Claims) (string, error) {
	b := make([]byte, size)
	b[0], b[3] = version, byte(c.Purpose)
	binary.BigEndian.PutUint16(b[1:], r.signing.ID)
	id, err := idEncoding.DecodeString(c.Subscriber + "000000")
	if err != nil || len(c.Subscriber) != idLen {
		return "", fmt.Errorf("sign token: %q is not a subscriber's ID", c.Subscriber)
	}
	copy(b[4:], id[:idBytes])
	if !putUint(b[21:27], c.Issued.UnixMilli()) {
		return "", fmt.Errorf("sign token for %s: issue time %s is out of range", c.Subscriber, c.Issued)
	}
	if !c.Expires.IsZero() && (c.Expires.Unix() <= 0 || !putUint(b[27:32], c.Expires.Unix())) {
		return "", fmt.Errorf("sign token for %s: expiry %s is out of range", c.Subscriber, c.Expires)
	}
	copy(b[signed:], mac(r.signing, b[:signed]))
	return encoding.EncodeToString(b), nil
}

// Verify reads a token made for a purpose. What is forged, cut short, changed, or made for another purpose is
// fault.NotFound; what is genuine and has expired is fault.Gone, with its claims.
func (r *Keyring) Verify(p Purpose, text string, now time.Time) (Claims, error) {
	b, err := encoding.DecodeString(text)
	if err != nil || len(b) != size || strings.ContainsAny(text, "\r\n") || b[0] != version {
		return Claims{}, forged()
	}
	key, known := r.keys[binary.BigEndian.Uint16(b[1:])]
	if !known || !hmac.Equal(b[signed:], mac(key, b[:signed])) || Purpose(b[3]) != p {
		return Claims{}, forged()
	}
	id := idEncoding.EncodeToString(append(b[4:4+idBytes:4+idBytes], 0, 0, 0))
	c := Claims{Purpose: p, Subscriber: id[:idLen], Issued: time.UnixMilli(getUint(b[21:27])).UTC()}
	if until := getUint(b[27:32]); until != 0 {
		c.Expires = time.Unix(until, 0).UTC()
		if !now.Before(c.Expires) {
			return c, fault.New(fault.Gone, "This link has expired.")
		}
	}
	return c, nil
}

func forged() error {
	return fault.New(fault.NotFound, "This link is not one of ours, or a part of it is missing.")
}

// mac signs; the words before keep the key's signatures apart from any other use of it.
func mac(k Key, b []byte) []byte {
	h := hmac.New(sha256.New, k.Secret)
	h.Write([]byte("tidings link\x00"))
	h.Write(b)
	return h.Sum(nil)[:macLen]
}

// putUint writes a number in as many bytes as there are, and reports whether it fits.
func putUint(b []byte, n int64) bool {
	if n < 0 || n>>(8*len(b)) != 0 {
		return false
	}
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte(n)
		n >>= 8
	}
	return true
}

func getUint(b []byte) int64 {
	var n int64
	for _, x := range b {
		n = n<<8 | int64(x)
	}
	return n
}
