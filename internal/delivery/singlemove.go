package delivery

import (
	"context"

	"tidings/internal/audience"
)

// move asks a new address whether it is one. Whatever is known of the address, the mail is the same; it counts as those that
// answer sign-ups do.
func (s *Singles) move(ctx context.Context, m Received, to string) error {
	mv, is, waits, err := s.Standings.Moving(ctx, to)
	if err != nil || !waits {
		return err
	}
	var may bool
	if is.Suppressed() {
		may, err = s.Standings.AskSuppressed(ctx, to, m.ID)
	} else {
		may, err = s.Standings.CountMail(ctx, to, m.ID, s.PerDay)
	}
	if err != nil {
		return err
	}
	if !may {
		s.Log.InfoContext(ctx, "new address not asked: limit of mails reached", "subscriber", to)
		return nil
	}
	link, err := s.linker().link("/address/", mv.Claims())
	if err != nil {
		return err
	}
	content, err := s.Builder.Move(link)
	if err != nil {
		return err
	}
	return s.send(ctx, m, single("move", mv.Email, content), "subscriber", to)
}

// moved tells an old address that it has left.
func (s *Singles) moved(ctx context.Context, m Received, id string) error {
	st, err := s.Standings.Standing(ctx, id)
	if err != nil || st.Subscriber.Status != audience.Unsubscribed {
		return err
	}
	if may, err := s.Standings.Told(ctx, id, m.ID); err != nil || !may {
		return err
	}
	links, err := s.linker().Links(id)
	if err != nil {
		return err
	}
	content, err := s.Builder.Moved(links.Preferences)
	if err != nil {
		return err
	}
	return s.send(ctx, m, single("moved", st.Subscriber.Email, content), "subscriber", id)
}
