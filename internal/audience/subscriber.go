package audience

import (
	"slices"
	"strings"
	"time"
)

// A Status is where someone is in the life of a subscription.
type Status string

// The statuses.
const (
	Pending      Status = "pending"      // asked for it; the confirmation mail is out
	Confirmed    Status = "confirmed"    // double opt-in done: the only status that is mailed digests
	Unsubscribed Status = "unsubscribed" // left
	Bounced      Status = "bounced"      // the mailbox refused mail for good
	Complained   Status = "complained"   // called a mail of ours spam
	Erased       Status = "erased"       // left and had everything removed; the ID alone is kept
)

// A Subscriber is one person on the list. Times are UTC, zero when they don't apply.
type Subscriber struct {
	ID          string // see IDs; reveals nothing
	Email       string // in the form that mail is sent to; empty when erased
	Name        string // as given, at most MaxName characters; may be empty
	Topics      []string
	Status      Status
	Reason      Status    // of Erased: what was so before, Unsubscribed, Bounced or Complained
	ConfirmedAt time.Time // of the current subscription
	LeftAt      time.Time // unsubscribed, bounced, complained or erased
	PausedUntil time.Time // no digest before
}

// Suppressed reports whether mail to the address bounced or was called spam. An erasure does not lift that.
func (s Subscriber) Suppressed() bool {
	status := s.Status
	if status == Erased {
		status = s.Reason
	}
	return status == Bounced || status == Complained
}

// Reachable reports whether single mails that somebody asks for themselves go to the address: it is known, and no mail to it
// bounced or was called spam.
func (s Subscriber) Reachable() bool {
	return s.Email != "" && (s.Status == Confirmed || s.Status == Unsubscribed)
}

// TopicsMatch reports whether someone who chose topics gets a digest about others. None, on either side, matches all.
func TopicsMatch(chosen, about []string) bool {
	return len(chosen) == 0 || len(about) == 0 ||
		slices.ContainsFunc(chosen, func(t string) bool { return slices.Contains(about, t) })
}

// IDLen is the length of a subscriber's ID in characters of lower-case base32hex: 130 bits.
const IDLen = 26

// Partitions is the number of partitions of the audience index. It is fixed: subscribers stand in theirs for good.
const Partitions = 64

// idAlphabet is base32hex's (RFC 4648 §7) in lower case; it keeps the order of the bits.
const idAlphabet = "0123456789abcdefghijklmnopqrstuv"

// Partition returns the partition of the audience index that a subscriber's ID belongs to: its leading 6 bits, so that IDs
// in order are partitions in order. It returns 0 for what is no ID.
func Partition(id string) int {
	if len(id) < 2 {
		return 0
	}
	a, b := strings.IndexByte(idAlphabet, id[0]), strings.IndexByte(idAlphabet, id[1])
	if a < 0 || b < 0 {
		return 0
	}
	return a<<1 | b>>4
}
