package audience

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/fault"
	"tidings/internal/token"
)

// Records keeps all there is about each subscriber.
type Records interface {
	// Held returns everything.
	Held(ctx context.Context, id string) (Held, error)
	// Erase removes everything but the ID, why it gets no mail, and since when. It is no error when that has happened already, or
	// when there is nothing. Of who erased, e is kept when it was an editor.
	Erase(ctx context.Context, id string, e Event) error
}

// Held is everything that is kept about a subscriber. Its Subscriber has no status when there was never a confirmation.
type Held struct {
	Standing
	Moving *Move   // a change of address that waits to be confirmed
	Events []Event // in order
}

// An Export is Held for its subscriber to read, with the texts that were agreed to.
type Export struct {
	Subscriber ExportedProfile  `json:"subscriber"`
	Pending    *ExportedPending `json:"pending"` // a sign-up that waits to be confirmed
	Moving     *ExportedMove    `json:"moving"`  // a change of address that does
	Events     []Event          `json:"events"`
	Elsewhere  string           `json:"elsewhere"`
}

// An ExportedProfile is what is kept about a subscriber now.
type ExportedProfile struct {
	ID          string     `json:"id"`
	Email       string     `json:"email,omitempty"`
	Name        string     `json:"name,omitempty"`
	Topics      []string   `json:"topics"`
	Status      Status     `json:"status"`
	Reason      Status     `json:"reason,omitempty"`
	ConfirmedAt *time.Time `json:"confirmedAt,omitempty"`
	LeftAt      *time.Time `json:"leftAt,omitempty"`
	PausedUntil *time.Time `json:"pausedUntil,omitempty"`
}

// An ExportedPending is a sign-up that waits.
type ExportedPending struct {
	Email   string    `json:"email"`
	Began   time.Time `json:"began"`
	Expires time.Time `json:"expires"`
	Request Event     `json:"request"`
}

// An ExportedMove is a change of address that waits.
type ExportedMove struct {
	Email   string    `json:"email"` // the new one
	Asked   time.Time `json:"asked"`
	Expires time.Time `json:"expires"`
}

// elsewhere is what an export says about what can't be found by one person.
const elsewhere = "Our records of newsletters that were sent hold this ID and what became of each mail, without address or name, " +
	"for 400 days. Backups of all of it go back 35 days."

// Export returns everything that is held about the subscriber of a fresh link.
func (p *Preferences) Export(ctx context.Context, text string) (Export, error) {
	c, err := p.fresh(text)
	if err != nil {
		return Export{}, err
	}
	h, err := p.Records.Held(ctx, c.Subscriber)
	if err != nil {
		return Export{}, fmt.Errorf("export %s: %w", c.Subscriber, err)
	}
	out := Export{Subscriber: h.profile(), Events: make([]Event, len(h.Events)), Elsewhere: elsewhere}
	if h.Waits {
		out.Pending = &ExportedPending{h.Episode.Email, h.Episode.Began, h.Episode.Expires, p.shown(h.Episode.Event)}
	}
	if m := h.Moving; m != nil {
		out.Moving = &ExportedMove{m.Email, m.Asked, m.Expires}
	}
	for i, e := range h.Events {
		out.Events[i] = p.shown(e)
	}
	return out, nil
}

// shown adds to an event, and to the one that it confirmed, the text that was agreed to.
func (p *Preferences) shown(e Event) Event {
	if e.Agreed != nil {
		agreed := *e.Agreed
		if c := p.Consents[agreed.Version]; c.Agreed().SHA256 == agreed.SHA256 {
			agreed.Text = c.Text
		}
		e.Agreed = &agreed
	}
	if e.Request != nil {
		request := p.shown(*e.Request)
		e.Request = &request
	}
	return e
}

// CheckFresh looks whether a link may do what can't be undone, as Export and Erase do.
func (p *Preferences) CheckFresh(text string) error {
	_, err := p.fresh(text)
	return err
}

// Erase erases the subscriber of a fresh link, and succeeds again for who is erased.
func (p *Preferences) Erase(ctx context.Context, text string) error {
	c, err := p.fresh(text)
	if fault.Is(err, fault.Forbidden) {
		s, failed := p.Profiles.Profile(ctx, c.Subscriber)
		if failed != nil {
			return fmt.Errorf("read %s: %w", c.Subscriber, failed)
		}
		if s.Status == Erased {
			return nil
		}
	}
	if err != nil {
		return err
	}
	if err := p.Records.Erase(ctx, c.Subscriber, Event{Kind: EventErased, At: p.Now().UTC(), How: HowLink}); err != nil {
		return fmt.Errorf("erase %s: %w", c.Subscriber, err)
	}
	return nil
}

// fresh reads a link. fault.Forbidden, with its claims, when it is older than that.
func (p *Preferences) fresh(text string) (token.Claims, error) {
	now := p.Now()
	c, err := p.Tokens.Verify(token.Manage, text, now)
	if err == nil && !c.Fresh(now) {
		err = fault.New(fault.Forbidden, "This link is older than 24 hours, and mails get forwarded. We mail you a fresh one if you ask for it.")
	}
	return c, err
}

// someTime is nil for the zero time.
func someTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
