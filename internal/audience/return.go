package audience

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/fault"
	"tidings/internal/token"
)

// Returns brings back who left by mistake. It is a sign-up like any other, without the typing: who comes back confirms by mail
// again, and sees the consent text beside the button. Links to unsubscribe get forwarded and never expire, so that one offers a
// way back for ReturnWithin only: nobody who left is bothered later.
type Returns struct {
	Tokens   *token.Keyring
	Profiles Profiles
	Requests Requests
	Queue    Queue
	Identity Identity
	Consent  Consent
	Now      func() time.Time
}

// ReturnWithin is how long after leaving the link to unsubscribe also offers the way back.
const ReturnWithin = 24 * time.Hour

// returnsPerHour bounds them by IP, together with sign-ups.
const returnsPerHour = 60

// Return asks for the mail by which who left by mistake comes back. It says nothing about whether there will be one. Its faults
// are NotFound, for a token that is not genuine, and Limited.
func (r *Returns) Return(ctx context.Context, text string, v Visit) error {
	now := r.Now()
	c, err := r.Tokens.Verify(token.Unsubscribe, text, now)
	if err != nil {
		return err
	}
	s, err := r.Profiles.Profile(ctx, c.Subscriber)
	if err != nil {
		return fmt.Errorf("read %s: %w", c.Subscriber, err)
	}
	if s.Status != Unsubscribed || !now.Before(s.LeftAt.Add(ReturnWithin)) {
		return nil
	}
	agreed := r.Consent.Agreed()
	request := Request{ID: s.ID, Email: s.Email, Event: Event{
		Kind: EventRequested, At: now.UTC().Truncate(time.Millisecond), How: HowReturn, Agreed: &agreed,
		IPHash: r.Identity.IPHash(v.IP), Name: s.Name, Topics: s.Topics,
	}}
	if err := r.Requests.Add(ctx, request, returnsPerHour); err != nil {
		return fmt.Errorf("keep return of %s: %w", s.ID, err)
	}
	if err := r.Queue.Send(ctx, message(MessageSignup, s.ID), 0); err != nil {
		return fmt.Errorf("enqueue mail for return of %s: %w", s.ID, err)
	}
	return nil
}

// Again asks for the mail of a confirmation link once more, also of one that has expired. There is one only if a sign-up of the
// address still waits, as after a later one, which made the episode last longer; the answer does not say so.
func (l *Links) Again(ctx context.Context, text string) error {
	c, err := l.Tokens.Verify(token.Confirm, text, l.Now())
	if err != nil && !fault.Is(err, fault.Gone) {
		return err
	}
	if err := l.Queue.Send(ctx, message(MessageSignup, c.Subscriber), 0); err != nil {
		return fmt.Errorf("enqueue mail of %s once more: %w", c.Subscriber, err)
	}
	return nil
}
