package sesapi

import (
	"context"
	"strings"
)

// simulator is the domain of SES's mailbox simulator ("Using the Amazon SES mailbox simulator manually").
const simulator = "simulator.amazonses.com"

// accept takes mails into the inbox and publishes what happens to them. A mail that cannot be rendered had its SUCCESS and its message
// ID like any other, and is then dropped: an event is all that tells.
func (s *Server) accept(ctx context.Context, mails []*Mail, mute bool) {
	var kept []*Mail
	var events [][]byte
	for _, m := range mails {
		e := s.reporter(m)
		if why := m.failure(); why != "" {
			e.failure(why)
		} else {
			kept = append(kept, m)
			e.send()
			for _, to := range m.To {
				e.outcome(to)
			}
		}
		events = append(events, e.events...)
	}
	s.box.add(kept)
	if mute || len(events) == 0 {
		return
	}
	if err := s.Publish(ctx, events...); err != nil { // SES's events are best effort
		s.Log.ErrorContext(ctx, "SES events not published", "events", len(events), "error", err)
	}
}

// outcome reports what the recipient's mailbox does: it takes everything, but for the simulator's addresses, with or without a label.
func (r *reporter) outcome(to string) {
	local, domain, _ := strings.Cut(strings.ToLower(to), "@")
	if domain != simulator {
		r.delivery(to)
		return
	}
	switch local, _, _ = strings.Cut(local, "+"); local {
	case "bounce":
		r.bounce(to, "General", "smtp; 550 5.1.1 user unknown")
	case "suppressionlist":
		r.bounce(to, "OnAccountSuppressionList", "Amazon SES did not send the message to this address because it is on the suppression list for your account.")
	case "complaint":
		r.delivery(to)
		r.complaint(to)
	default: // success; ooto's automatic answer goes to the sender's mailbox, which is none of ours
		r.delivery(to)
	}
}
