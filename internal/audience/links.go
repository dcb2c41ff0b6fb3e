package audience

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/fault"
	"tidings/internal/token"
)

// Memberships changes who is on the list.
type Memberships interface {
	// Confirm ends an episode by making its subscriber a confirmed one, with the evidence e, in which the store enters
	// what was confirmed. It is no error when that has happened already. An episode that has expired or was ended otherwise is
	// fault.Gone.
	Confirm(ctx context.Context, id string, episode time.Time, e Event) error
	// Leave takes somebody off the list, and ends a pending episode. It is no error when there is nothing to leave.
	Leave(ctx context.Context, id string, e Event) error
}

// Links is what the links in mails do. To look at a link changes nothing, since mail scanners do.
type Links struct {
	Tokens      *token.Keyring
	Memberships Memberships
	Queue       Queue // where Confirm asks for the welcome
	Identity    Identity
	Doorman     *Doorman // counts who leaves by a digest's link; may be nil
	Now         func() time.Time
}

// Check looks whether a token is genuine, of the purpose and not expired: fault.NotFound and fault.Gone say no.
func (l *Links) Check(p token.Purpose, text string) error {
	_, err := l.Tokens.Verify(p, text, l.Now())
	return err
}

// Confirm does what a confirmation mail's link offers. A press that comes again asks for the welcome again, in case it was lost;
// who mails it knows whom it has welcomed.
func (l *Links) Confirm(ctx context.Context, text string, v Visit) error {
	c, err := l.Tokens.Verify(token.Confirm, text, l.Now())
	if err != nil {
		return err
	}
	if err := l.Memberships.Confirm(ctx, c.Subscriber, c.Issued, l.event(EventConfirmed, HowLink, v)); err != nil {
		return fmt.Errorf("confirm %s: %w", c.Subscriber, err)
	}
	if err := l.Queue.Send(ctx, message(MessageWelcome, c.Subscriber), 0); err != nil {
		return fmt.Errorf("enqueue welcome of %s: %w", c.Subscriber, err)
	}
	return nil
}

// Unsubscribe does what an unsubscribe link offers; how is HowLink or HowOneClick. For a genuine token it succeeds,
// whatever became of the subscriber.
func (l *Links) Unsubscribe(ctx context.Context, text, how string, v Visit) error {
	c, err := l.Tokens.Verify(token.Unsubscribe, text, l.Now())
	if err != nil {
		return err
	}
	err = l.Doorman.leave(ctx, c.Issued, c.Subscriber, func() error {
		return l.Memberships.Leave(ctx, c.Subscriber, l.event(EventUnsubscribed, how, v))
	})
	if err != nil {
		return fmt.Errorf("unsubscribe %s: %w", c.Subscriber, err)
	}
	return nil
}

func (l *Links) event(kind Kind, how string, v Visit) Event {
	return Event{Kind: kind, At: l.Now().UTC().Truncate(time.Millisecond), How: how, IPHash: l.Identity.IPHash(v.IP)}
}

// Gone is the fault of a confirmation that comes too late.
func Gone() error {
	return fault.New(fault.Gone, "This link has expired, or you have unsubscribed since. Sign up again to get a new one.")
}

// ConfirmClaims is what the token of an episode's mail says. It works as long as the episode lasts now: sign-ups
// that come later bring mails of their own, whose links work longer, and take nothing from this one.
func (e Episode) ConfirmClaims() token.Claims {
	return token.Claims{Purpose: token.Confirm, Subscriber: e.ID, Issued: e.Began, Expires: e.Expires}
}
