package audience

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tidings/internal/fault"
)

// A Helpdesk does for people who phone what they could do by their links. What it does is evidence, with who did it.
type Helpdesk struct {
	Records     Records
	Memberships Memberships
	Identity    Identity
	Now         func() time.Time
}

// Find returns what is kept about an address now, and whether there is anything. Who waits to be confirmed is Pending.
func (d *Helpdesk) Find(ctx context.Context, email string) (ExportedProfile, bool, error) {
	address, err := ParseAddress(email)
	if err != nil {
		return ExportedProfile{}, false, err
	}
	h, err := d.held(ctx, d.Identity.ID(address))
	if fault.Is(err, fault.NotFound) {
		return ExportedProfile{}, false, nil
	}
	return h.profile(), err == nil, err
}

// Unsubscribe takes somebody off the list; by is the editor. fault.NotFound for an ID that nothing is kept about.
func (d *Helpdesk) Unsubscribe(ctx context.Context, id, by string) error {
	if _, err := d.held(ctx, id); err != nil {
		return err
	}
	e := Event{Kind: EventUnsubscribed, At: d.now(), How: HowEditor, By: by}
	if err := d.Memberships.Leave(ctx, id, e); err != nil {
		return fmt.Errorf("unsubscribe %s: %w", id, err)
	}
	return nil
}

// Erase erases somebody; by is the editor. fault.NotFound for an ID that nothing is kept about.
func (d *Helpdesk) Erase(ctx context.Context, id, by string) error {
	if _, err := d.held(ctx, id); err != nil {
		return err
	}
	if err := d.Records.Erase(ctx, id, Event{Kind: EventErased, At: d.now(), How: HowEditor, By: by}); err != nil {
		return fmt.Errorf("erase %s: %w", id, err)
	}
	return nil
}

func (d *Helpdesk) now() time.Time { return d.Now().UTC().Truncate(time.Millisecond) }

// held reads somebody. fault.NotFound when there is nothing.
func (d *Helpdesk) held(ctx context.Context, id string) (Held, error) {
	unknown := fault.New(fault.NotFound, "There is no subscriber of that ID.")
	if len(id) != IDLen || strings.Trim(id, idAlphabet) != "" {
		return Held{}, unknown
	}
	h, err := d.Records.Held(ctx, id)
	if err != nil {
		return h, fmt.Errorf("read %s: %w", id, err)
	}
	if h.Subscriber.Status == "" && !h.Waits {
		return h, unknown
	}
	return h, nil
}

// profile is what is kept now, in short: of who was never confirmed, the sign-up that waits.
func (h Held) profile() ExportedProfile {
	s := h.Subscriber
	if s.Status == "" && h.Waits {
		s.Status, s.Email, s.Name, s.Topics = Pending, h.Episode.Email, h.Episode.Event.Name, h.Episode.Event.Topics
	}
	return ExportedProfile{
		ID: s.ID, Email: s.Email, Name: s.Name, Topics: append([]string{}, s.Topics...), Status: s.Status, Reason: s.Reason,
		ConfirmedAt: someTime(s.ConfirmedAt), LeftAt: someTime(s.LeftAt), PausedUntil: someTime(s.PausedUntil),
	}
}
