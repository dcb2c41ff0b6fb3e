package audience

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tidings/internal/fault"
)

// Requests keeps sign-ups.
type Requests interface {
	// Add keeps a request and counts it against its IP's limit, in one write that is the same whatever is known of the
	// address. Beyond the limit it keeps nothing and returns a *LimitError.
	Add(ctx context.Context, r Request, perHour int) error
}

// A Queue takes messages for the worker that mails.
type Queue interface {
	Send(ctx context.Context, body []byte, delay time.Duration) error
}

// A LimitError is the fault.Limited of someone who asks for something too often.
type LimitError struct {
	After time.Duration // until it makes sense to try again
	Why   string        // for people
}

func (e *LimitError) Error() string { return "limit reached" }

// Unwrap returns the fault.
func (e *LimitError) Unwrap() error { return fault.New(fault.Limited, "%s", e.Why) }

// TooManySignUps is the LimitError of a network.
func TooManySignUps(after time.Duration) error {
	return &LimitError{after, "There were many sign-ups from your network. Please try again later."}
}

// SignUps takes sign-ups. Whatever is known of an address, a well-formed sign-up is one write, one message and no answer, so
// that neither words nor time tell who is on the list: what the mail says is decided where only the mailbox's owner reads.
type SignUps struct {
	Requests Requests
	Queue    Queue
	Identity Identity
	Consent  Consent
	PerHour  int // from one IP
	Now      func() time.Time
}

// A Form is what a visitor filled in.
type Form struct {
	Email, Name string
	Topics      []string
	// Trap is a field that people don't see. Who fills it in is a program, and is thanked for nothing.
	Trap  string
	Visit Visit
}

// Add takes a sign-up. Its faults are Invalid, about form, and Limited.
func (s *SignUps) Add(ctx context.Context, f Form) error {
	if f.Trap != "" {
		return nil
	}
	address, err := ParseAddress(f.Email)
	if err != nil {
		return err
	}
	name, err := ParseName(f.Name)
	if err != nil {
		return err
	}
	topics, err := ParseTopics(f.Topics)
	if err != nil {
		return err
	}
	agreed := s.Consent.Agreed()
	r := Request{ID: s.Identity.ID(address), Email: address.Sendable, Event: Event{
		Kind: EventRequested, At: s.Now().UTC().Truncate(time.Millisecond), How: HowForm, Agreed: &agreed,
		Page: pageOf(f.Visit.Referer), IPHash: s.Identity.IPHash(f.Visit.IP), Name: name, Topics: topics,
	}}
	if err := s.Requests.Add(ctx, r, s.PerHour); err != nil {
		return fmt.Errorf("keep sign-up of %s: %w", r.ID, err)
	}
	if err := s.Queue.Send(ctx, message(MessageSignup, r.ID), 0); err != nil {
		return fmt.Errorf("enqueue mail for sign-up of %s: %w", r.ID, err)
	}
	return nil
}

// The kinds of messages that ask for a mail to one subscriber.
const (
	MessageSignup  = "signup"  // whatever a sign-up is answered with
	MessageWelcome = "welcome" // follows a confirmation
	MessageManage  = "manage"  // a fresh link to preferences
	MessageMove    = "move"    // asks a new address for its confirmation; the ID is that of the new one
	MessageMoved   = "moved"   // tells the old address; the ID is that of the old one
)

// message asks for a mail, by the subscriber's ID alone.
func message(kind, id string) []byte {
	b, _ := json.Marshal(struct {
		Kind       string `json:"kind"`
		Subscriber string `json:"subscriber"`
	}{kind, id}) // strings only
	return b
}
