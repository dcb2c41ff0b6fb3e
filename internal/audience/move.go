package audience

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/fault"
	"tidings/internal/token"
)

// Moves changes addresses. Since an ID is made of the address, a change is a leaving and a joining: the new address is confirmed as
// any other is, and takes over what the old one chose.
type Moves interface {
	// AskMove keeps a request of a subscriber on the list, in place of one that they made before. The write is the same whatever is
	// known of the new address. fault.Gone for who is not on the list, and a *LimitError for who has asked more than perDay times in
	// a day.
	AskMove(ctx context.Context, m Move, perDay int) error
	// Move does it: the old address leaves and the new one joins, in one write, with the evidence e of the new one. It returns the
	// old subscriber's ID, again when that has happened already. fault.Gone when the request has expired or was replaced, when the
	// old one is not on the list any more, or when the new one has left since.
	Move(ctx context.Context, to string, asked time.Time, e Event) (from string, err error)
}

// A Move is a change of address that waits to be confirmed at the new one.
type Move struct {
	From, To string // IDs
	Email    string // the new address, as mail is sent to
	Asked    time.Time
	Expires  time.Time
	Event    Event // its evidence
}

// Claims is what the token of a move's mail says: it is bound to the new address by its ID, and to the old one by the request.
func (m Move) Claims() token.Claims {
	return token.Claims{Purpose: token.Move, Subscriber: m.To, Issued: m.Asked, Expires: m.Expires}
}

// movesPerDay bounds how many addresses of others somebody can have mail sent to.
const movesPerDay = 3

// moveTo checks a new address; nil when there is none.
func (p *Preferences) moveTo(email *string, s Subscriber, now time.Time, v Visit) (*Move, error) {
	if email == nil {
		return nil, nil
	}
	address, err := ParseAddress(*email)
	if err != nil {
		return nil, err
	}
	m := Move{
		From: s.ID, To: p.Identity.ID(address), Email: address.Sendable, Asked: now, Expires: now.Add(PendingLife).Truncate(time.Second),
		Event: Event{Kind: EventMoving, At: now, How: HowLink, IPHash: p.Identity.IPHash(v.IP)},
	}
	if m.To == m.From {
		return nil, fault.Field(fault.Invalid, "email", "This is your address already.")
	}
	return &m, nil
}

// askMove keeps a request and has the new address asked.
func (p *Preferences) askMove(ctx context.Context, m Move) error {
	if err := p.Moves.AskMove(ctx, m, movesPerDay); err != nil {
		return fmt.Errorf("keep move of %s: %w", m.From, err)
	}
	if err := p.Queue.Send(ctx, message(MessageMove, m.To), 0); err != nil {
		return fmt.Errorf("enqueue mail for move of %s: %w", m.From, err)
	}
	return nil
}

// CheckMove looks whether a link of a move's mail is genuine and not expired.
func (p *Preferences) CheckMove(text string) error {
	_, err := p.Tokens.Verify(token.Move, text, p.Now())
	return err
}

// Move does what a move's mail offers. The new address is welcomed and the old one told, each once.
func (p *Preferences) Move(ctx context.Context, text string, v Visit) error {
	c, err := p.Tokens.Verify(token.Move, text, p.Now())
	if err != nil {
		return err
	}
	e := Event{Kind: EventConfirmed, At: p.Now().UTC().Truncate(time.Millisecond), How: HowLink, IPHash: p.Identity.IPHash(v.IP)}
	from, err := p.Moves.Move(ctx, c.Subscriber, c.Issued, e)
	if err != nil {
		return fmt.Errorf("move to %s: %w", c.Subscriber, err)
	}
	for kind, id := range map[string]string{MessageMoved: from, MessageWelcome: c.Subscriber} {
		if err := p.Queue.Send(ctx, message(kind, id), 0); err != nil {
			return fmt.Errorf("enqueue %s mail of %s: %w", kind, id, err)
		}
	}
	return nil
}

// MoveGone is the fault of a change of address that comes too late.
func MoveGone() error {
	return fault.New(fault.Gone, "This link has expired, or another took its place. Ask for the change again on your preferences page.")
}
