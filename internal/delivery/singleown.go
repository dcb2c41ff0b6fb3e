package delivery

import (
	"context"

	"tidings/internal/audience"
)

// welcome mails somebody who has confirmed the links that are theirs from now on. Each subscription is welcomed once, however
// often the link to confirm is pressed.
func (s *Singles) welcome(ctx context.Context, m Received, id string) error {
	st, err := s.Standings.Standing(ctx, id)
	if err != nil || st.Subscriber.Status != audience.Confirmed {
		return err
	}
	if may, err := s.Standings.Welcome(ctx, id, m.ID); err != nil || !may {
		return err
	}
	links, err := s.linker().Links(id)
	if err != nil {
		return err
	}
	content, err := s.Builder.Welcome(links)
	if err != nil {
		return err
	}
	return s.send(ctx, m, single("welcome", st.Subscriber.Email, content), "subscriber", id)
}

// manage mails a fresh link to preferences, to the address that is kept: also of somebody who left, whose right it is to see
// and to erase what is held, but not where mail bounces or was called spam.
func (s *Singles) manage(ctx context.Context, m Received, id string) error {
	st, err := s.Standings.Standing(ctx, id)
	if err != nil || !st.Subscriber.Reachable() {
		return err
	}
	may, err := s.Standings.CountLink(ctx, id, m.ID, s.PerDay)
	if err != nil {
		return err
	}
	if !may {
		s.Log.InfoContext(ctx, "fresh link not mailed: limit of mails reached", "subscriber", id)
		return nil
	}
	links, err := s.linker().Links(id)
	if err != nil {
		return err
	}
	content, err := s.Builder.Manage(links.Preferences)
	if err != nil {
		return err
	}
	return s.send(ctx, m, single("manage", st.Subscriber.Email, content), "subscriber", id)
}
