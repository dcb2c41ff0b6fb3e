package audience

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"tidings/internal/fault"
)

// MaxAddress is the longest address in bytes (RFC 5321 §4.5.3.1.3: a path of 256 with its brackets).
const MaxAddress = 254

// maxLocal is the longest local part (RFC 5321 §4.5.3.1.1).
const maxLocal = 64

// An Address is a mailbox on the Internet. The two forms differ in the letters of the local part, whose case a
// receiver may mind (RFC 5321 §2.4), while nobody wants two subscriptions that differ in nothing else.
type Address struct {
	Sendable  string // as mail is sent to: the local part as it was typed, the domain in ASCII
	Canonical string // lower case all through: what a subscriber's ID is made of
}

// atext is what a local part is made of besides letters, digits and dots (RFC 5322 §3.2.3).
const atext = "!#$%&'*+-/=?^_`{|}~"

// domains is strict about names as DNS knows them, and turns international ones into ASCII (RFC 5891 §5, UTS 46).
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// ParseAddress reads an address that somebody typed; blanks around it are forgiven. It takes RFC 5321's mailboxes without
// the forms that no newsletter is sent to: quoted local parts, address literals and hosts without a dot. The local
// part is ASCII, since SES has no SMTPUTF8. Its faults do not repeat the address.
func ParseAddress(s string) (Address, error) {
	s = strings.Trim(s, " ")
	if s == "" {
		return Address{}, badAddress("Enter an email address.")
	}
	if len(s) > 4*MaxAddress { // nothing is worth mapping
		return Address{}, badAddress("The email address is too long.")
	}
	if strings.ContainsRune(s, utf8.RuneError) { // in it or, for bytes that are no UTF-8, in its stead
		return Address{}, badAddress("The email address holds bytes that are not text.")
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return Address{}, badAddress("The email address lacks its @.")
	}
	local, domain := s[:at], s[at+1:]
	if !validLocal(local) {
		return Address{}, badAddress("The part of the email address before the @ is not valid.")
	}
	ascii, err := domains.ToASCII(domain)
	if err != nil || !validDomain(ascii) {
		return Address{}, badAddress("The part of the email address after the @ is not valid.")
	}
	if len(local)+1+len(ascii) > MaxAddress {
		return Address{}, badAddress("The email address is too long.")
	}
	return Address{Sendable: local + "@" + ascii, Canonical: strings.ToLower(local) + "@" + ascii}, nil
}

func badAddress(why string) error { return fault.Field(fault.Invalid, "email", "%s", why) }

// validLocal reports whether s is a dot-string (RFC 5321 §4.1.2).
func validLocal(s string) bool {
	if s == "" || len(s) > maxLocal {
		return false
	}
	for word := range strings.SplitSeq(s, ".") {
		if word == "" {
			return false
		}
		for _, c := range []byte(word) {
			if !alphanumeric(c) && strings.IndexByte(atext, c) < 0 {
				return false
			}
		}
	}
	return true
}

// validDomain reports whether a name in ASCII can be that of a mail's receiver: letters, digits and hyphens in labels of
// at most 63, and a last label that is not all digits, as an IP address's is (RFC 1123 §2.1, RFC 3696 §2).
func validDomain(s string) bool {
	labels := strings.Split(s, ".")
	last := labels[len(labels)-1]
	if len(labels) < 2 || strings.Trim(last, "0123456789") == "" {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && (!alphanumeric(c) || 'A' <= c && c <= 'Z') {
				return false
			}
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
