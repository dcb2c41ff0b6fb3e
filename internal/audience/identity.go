package audience

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"net/netip"
)

// An Identity makes what stands for people and machines wherever something is kept or said about them: without the keys,
// neither an address nor an IP can be found again by trying all there are.
type Identity struct {
	IDKey []byte // of subscribers' IDs; it never changes, or nobody who left would be known again
	IPKey []byte // of IP hashes
}

// ID returns the ID of the subscriber who has an address: IDLen characters, which reveal nothing, and are the same for
// each way to write the address.
func (k Identity) ID(a Address) string {
	sum := keyed(k.IDKey, "address", a.Canonical)
	return base32.NewEncoding(idAlphabet).WithPadding(base32.NoPadding).EncodeToString(sum)[:IDLen]
}

// IPHash returns what is kept of an IP address: 128 bits in hex. Addresses of one IPv6 network of 64 bits are one, since
// a single household has that many.
func (k Identity) IPHash(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			ip = p.Addr()
		}
	}
	return hex.EncodeToString(keyed(k.IPKey, "ip", ip.String())[:16])
}

func keyed(key []byte, what, value string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(what + "\x00" + value))
	return h.Sum(nil)
}
