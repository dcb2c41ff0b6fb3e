package digest

import (
	"regexp"
	"slices"
	"time"
)

// A Digest is one mail to everyone in its audience, made of articles. Times are UTC.
type Digest struct {
	ID        string
	Title     string
	Subject   string // as given; Line is the one in use
	Preheader string
	Intro     string
	Articles  []string // slugs, in the order of the mail
	Status    Status
	Reason    string // why it is in this status, a sentence for editors; empty when there is nothing to say

	SendAt   time.Time // zero before it is scheduled; in milliseconds when it was "now"
	Timezone string    // IANA zone in which the editor chose the time
	// Version counts the schedulings, from 1. A start of another version is an old schedule's.
	Version int64
	// Armed is the version whose alarm is set. It lags Version only between two writes, or after a crash.
	Armed int64
	// Slug is its name in the archive, unique, and its web page's address in the mail. It has one while it is scheduled and, once
	// it has started, for ever.
	Slug string
	// ContentHash is the frozen content's SHA-256 in hex; empty while nothing is frozen.
	ContentHash string

	Rev       int64 // 1 when created, one more with every change; not with progress
	CreatedAt time.Time
	UpdatedAt time.Time
	StartedAt time.Time // zero before sending
	EndedAt   time.Time // zero before sent, cancelled or failed
}

// validID is the form of IDs: they are part of alarms' names, of which Scheduler takes 64 characters.
var validID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,40}$`)

// ValidID reports whether a digest can have the ID.
func ValidID(id string) bool { return validID.MatchString(id) }

// Line returns the subject line: the subject, or the title when there is none.
func (d Digest) Line() string {
	if d.Subject != "" {
		return d.Subject
	}
	return d.Title
}

// Progress is what has become of a digest's recipients. Audience = Accepted + Failed + Skipped + Unresolved; the figures
// after Duplicates say more about accepted ones.
type Progress struct {
	Audience     int64 `json:"audience"`
	Accepted     int64 `json:"accepted"`   // SES has said that it took the message, by its answer or by an event
	Failed       int64 `json:"failed"`     // will never be sent
	Skipped      int64 `json:"skipped"`    // left, paused or chose other topics
	Unresolved   int64 `json:"unresolved"` // no outcome yet
	Duplicates   int64 `json:"duplicates"` // messages that SES took beyond one a recipient
	Delivered    int64 `json:"delivered"`
	Bounced      int64 `json:"bounced"`
	Complained   int64 `json:"complained"`
	Unsubscribed int64 `json:"unsubscribed"` // by this digest's links
}

// A List is one page of digests, newest first. Next is empty when nothing follows.
type List struct {
	Items []Digest
	Next  string
}

// A Status is where a digest is in its life.
type Status string

// The statuses.
const (
	Draft     Status = "draft"
	Scheduled Status = "scheduled" // content frozen, waits for its hour
	Sending   Status = "sending"
	Paused    Status = "paused"  // by an editor or a guard rail
	Waiting   Status = "waiting" // for room in the daily quota
	Sent      Status = "sent"
	Cancelled Status = "cancelled"
	Failed    Status = "failed" // can't go on; the reason says why
)

// transitions says which statuses may follow one another.
var transitions = map[Status][]Status{
	Draft:     {Scheduled},
	Scheduled: {Draft, Sending, Cancelled, Failed},
	Sending:   {Paused, Waiting, Sent, Cancelled, Failed},
	Paused:    {Sending, Cancelled, Failed},
	Waiting:   {Sending, Paused, Sent, Cancelled, Failed},
}

// Can reports whether a digest in status s may go to another.
func (s Status) Can(to Status) bool { return slices.Contains(transitions[s], to) }

// Sources returns the statuses from which one may go to s, sorted.
func (s Status) Sources() []Status {
	var from []Status
	for f, to := range transitions {
		if slices.Contains(to, s) {
			from = append(from, f)
		}
	}
	slices.Sort(from)
	return from
}

// Out reports whether copies of a digest in this status are with readers, or are on their way to them. Their link to it works
// from then on; the archive lists it when it is Sent.
func (s Status) Out() bool { return s == Sending || s == Waiting || s == Paused || s == Sent }

// Ended reports whether nothing more can happen to a digest in this status.
func (s Status) Ended() bool { return s == Sent || s == Cancelled || s == Failed }
