package audience

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/internal/fault"
	"tidings/internal/token"
)

// Profiles keeps what subscribers may see and change about themselves.
type Profiles interface {
	// Profile returns a subscriber by a consistent read, one without a status when there is none.
	Profile(ctx context.Context, id string) (Subscriber, error)
	// Change makes a subscriber on the list what c says, with its evidence. fault.Gone for who is not on the list, and a
	// *LimitError for who has changed more than perDay times in a day.
	Change(ctx context.Context, id string, c Change, e Event, perDay int) error
}

// A Change is what is to be different. What is nil stays.
type Change struct {
	Name        *string
	Topics      *[]string
	PausedUntil *time.Time // zero: not paused any more
}

// An Edit is what somebody filled in on the preferences page. What is nil stays.
type Edit struct {
	Name   *string
	Topics *[]string
	Pause  *int // months from now, 1 to MaxPause; 0 ends a pause
	// Email is where mail is to go once it has been confirmed there. It needs a fresh link.
	Email *string
}

// MaxPause is the longest pause in months.
const MaxPause = 6

// editsPerDay bounds the evidence that somebody can pile up.
const editsPerDay = 50

// Preferences is what the links that open preferences do. They get forwarded with the mails that hold them, so that one that is
// not fresh shows no address, and cannot do what can't be undone.
type Preferences struct {
	Tokens   *token.Keyring
	Profiles Profiles
	Records  Records
	Moves    Moves
	Consents map[int]Consent // by version
	Queue    Queue
	Identity Identity
	Now      func() time.Time
}

// An Access is what a link opens.
type Access struct {
	Subscriber Subscriber // without the address when the link is not fresh
	Fresh      bool
	Leave      string // token that unsubscribes
}

// Open reads whom a link is about. fault.NotFound for one that is not genuine.
func (p *Preferences) Open(ctx context.Context, text string) (Access, error) {
	c, err := p.Tokens.Verify(token.Manage, text, p.Now())
	if err != nil {
		return Access{}, err
	}
	return p.open(ctx, c)
}

func (p *Preferences) open(ctx context.Context, c token.Claims) (Access, error) {
	s, err := p.Profiles.Profile(ctx, c.Subscriber)
	if err != nil {
		return Access{}, fmt.Errorf("read %s: %w", c.Subscriber, err)
	}
	a := Access{Subscriber: s, Fresh: c.Fresh(p.Now())}
	if !a.Fresh {
		a.Subscriber.Email = ""
	}
	a.Leave, err = p.Tokens.Sign(token.Claims{Purpose: token.Unsubscribe, Subscriber: c.Subscriber, Issued: p.Now()})
	return a, err
}

// Save changes what was edited, and returns what is kept then.
func (p *Preferences) Save(ctx context.Context, text string, in Edit, v Visit) (Access, error) {
	c, err := p.fresh(text)
	if err != nil && (in.Email != nil || !fault.Is(err, fault.Forbidden)) {
		return Access{}, err
	}
	s, err := p.Profiles.Profile(ctx, c.Subscriber)
	if err != nil {
		return Access{}, fmt.Errorf("read %s: %w", c.Subscriber, err)
	}
	if s.Status != Confirmed {
		return Access{}, NotSubscribed()
	}
	now := p.Now().UTC().Truncate(time.Millisecond)
	move, err := p.moveTo(in.Email, s, now, v)
	if err != nil {
		return Access{}, err
	}
	change, e, err := in.change(s, now)
	if err != nil {
		return Access{}, err
	}
	if len(e.Changed) > 0 {
		e.Kind, e.At, e.How, e.IPHash = EventChanged, now, HowLink, p.Identity.IPHash(v.IP)
		if err := p.Profiles.Change(ctx, c.Subscriber, change, e, editsPerDay); err != nil {
			return Access{}, fmt.Errorf("change %s: %w", c.Subscriber, err)
		}
	}
	if move != nil {
		if err := p.askMove(ctx, *move); err != nil {
			return Access{}, err
		}
	}
	return p.open(ctx, c)
}

// change checks an edit and reduces it to what differs from what is kept.
func (in Edit) change(s Subscriber, now time.Time) (c Change, e Event, err error) {
	if in.Name != nil {
		name, err := ParseName(*in.Name)
		if err != nil {
			return c, e, err
		}
		if name != s.Name {
			c.Name, e.Name, e.Changed = &name, name, append(e.Changed, "name")
		}
	}
	if in.Topics != nil {
		topics, err := ParseTopics(*in.Topics)
		if err != nil {
			return c, e, err
		}
		if !slices.Equal(topics, s.Topics) {
			c.Topics, e.Topics, e.Changed = &topics, topics, append(e.Changed, "topics")
		}
	}
	if in.Pause != nil {
		if *in.Pause < 0 || *in.Pause > MaxPause {
			return c, e, fault.Field(fault.Invalid, "pause", "A pause is 1 to %d months, 0 ends one.", MaxPause)
		}
		var until time.Time
		if *in.Pause > 0 {
			until = months(now, *in.Pause)
			e.PausedUntil = &until
		}
		if *in.Pause > 0 || s.PausedUntil.After(now) {
			c.PausedUntil, e.Changed = &until, append(e.Changed, "pause")
		}
	}
	return c, e, nil
}

// months returns the same day n months later or, where that month is too short, its last day.
func months(t time.Time, n int) time.Time {
	later := t.AddDate(0, n, 0)
	if later.Day() != t.Day() {
		later = later.AddDate(0, 0, -later.Day())
	}
	return later
}

// SendLink has a fresh link mailed. It says nothing about whether there is an address to mail it to.
func (p *Preferences) SendLink(ctx context.Context, text string) error {
	c, err := p.Tokens.Verify(token.Manage, text, p.Now())
	if err != nil {
		return err
	}
	if err := p.Queue.Send(ctx, message(MessageManage, c.Subscriber), 0); err != nil {
		return fmt.Errorf("enqueue link of %s: %w", c.Subscriber, err)
	}
	return nil
}

// NotSubscribed is the fault of a change to the preferences of who is not on the list.
func NotSubscribed() error {
	return fault.New(fault.Gone, "You are not subscribed. Sign up again to choose what you get.")
}
