package audience

import (
	"net/netip"
	"time"
)

// A Kind is what an event is about.
type Kind string

// The kinds of events.
const (
	EventRequested    Kind = "requested"
	EventConfirmed    Kind = "confirmed"
	EventChanged      Kind = "changed" // preferences
	EventMoving       Kind = "moving"  // asked for another address
	EventUnsubscribed Kind = "unsubscribed"
	EventErased       Kind = "erased" // by an editor: all there was before is gone
	EventBounced      Kind = "bounced"
	EventComplained   Kind = "complained"
)

// Ways in which somebody did something, for Event.How.
const (
	HowForm     = "form"      // the sign-up form, or a program in its place
	HowReturn   = "return"    // the button of the page that says goodbye
	HowLink     = "link"      // the button behind a link that was mailed to the address
	HowOneClick = "one-click" // the mail program's own button (RFC 8058)
	HowEditor   = "editor"    // somebody of the clinic did, for who phoned
	HowFeedback = "feedback"  // SES reported it
	HowMove     = "move"      // the new address was confirmed
)

// An Event is the evidence of one step of a subscription, without the address. Events are only ever added.
type Event struct {
	Kind   Kind      `json:"kind"`
	At     time.Time `json:"at"`
	How    string    `json:"how"`
	Agreed *Agreed   `json:"consent,omitempty"` // the text that was shown
	Page   string    `json:"page,omitempty"`    // origin and path that the form was sent from, as the browser said
	IPHash string    `json:"ip,omitempty"`      // see Identity.IPHash
	Name   string    `json:"name,omitempty"`    // what was asked for, with Topics
	Topics []string  `json:"topics,omitempty"`
	// Changed names what a change of preferences set: name, topics, pause. One that is named and missing was emptied.
	Changed     []string   `json:"changed,omitempty"`
	PausedUntil *time.Time `json:"pausedUntil,omitempty"`
	By          string     `json:"by,omitempty"` // of HowEditor: the subject of the editor's sign-in
	// Request is what a confirmation confirmed.
	Request *Event `json:"request,omitempty"`
}

// A Request is a sign-up that waits to be confirmed.
type Request struct {
	ID    string // the subscriber's
	Email string // as mail is sent to
	Event Event  // its evidence
}

// PendingLife is how long a request waits for its confirmation, and so how long the link works.
const PendingLife = 7 * 24 * time.Hour

// An Episode is the time in which a request waits. Sign-ups that come meanwhile belong to it, and each makes it last longer;
// a confirmation, a leaving and a suppression end it.
type Episode struct {
	Request           // the latest
	Began   time.Time // its name, in the tokens that confirm it
	Expires time.Time
}

// A Visit is where a request came from.
type Visit struct {
	IP      netip.Addr
	Referer string // the header; only its origin and path are kept
}
