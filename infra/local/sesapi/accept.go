package sesapi

import (
	"context"
	"slices"
	"strings"
)

// simulator is the domain of SES's mailbox simulator ("Using the Amazon SES mailbox simulator manually").
const simulator = "simulator.amazonses.com"

// An accepted call is what became of it.
type accepted struct {
	n        int64    // in the journal, from 1 on
	mails    []*Mail  // at least one, of the same time
	failures []string // by mail: why it cannot be rendered, or ""
	quiet    bool     // nothing of it is published
}

// accept takes mails into the inbox and publishes what happens to them. A mail that cannot be rendered had its SUCCESS and its message
// ID like any other, and is then dropped: an event is all that tells.
func (s *Server) accept(ctx context.Context, mails []*Mail, mute bool) *apiError {
	if len(mails) == 0 {
		return nil
	}
	c := &accepted{mails: mails, failures: make([]string, len(mails))}
	for i, m := range mails {
		c.failures[i] = m.failure()
	}
	events := s.eventsOf(c)
	c.quiet = mute || len(events) == 0
	if err := s.take(c); err != nil {
		s.Log.ErrorContext(ctx, "mails not accepted", "mails", len(mails), "error", err)
		return errorOf("InternalServiceErrorException")
	}
	if !c.quiet {
		s.report(ctx, c, events)
	}
	return nil
}

// take puts a call's mails into the inbox, and into the journal before that.
func (s *Server) take(c *accepted) error {
	if j := s.journal; j != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		if err := j.call(c); err != nil {
			return err
		}
	}
	s.box.add(c.delivered())
	return nil
}

// report publishes a call's events.
func (s *Server) report(ctx context.Context, c *accepted, events [][]byte) {
	err := s.Publish(ctx, events...)
	if err != nil { // SES's events are best effort; with a journal the next start tries again
		s.Log.ErrorContext(ctx, "SES events not published", "events", len(events), "error", err)
	} else if s.journal != nil {
		if err = s.journal.done(c.n); err != nil { // they are published again at the next start
			s.Log.ErrorContext(ctx, "SES events not marked as published", "events", len(events), "error", err)
		}
	}
}

// delivered are the mails that could be rendered.
func (c *accepted) delivered() []*Mail {
	if !slices.ContainsFunc(c.failures, func(why string) bool { return why != "" }) {
		return c.mails
	}
	var out []*Mail
	for i, m := range c.mails {
		if c.failures[i] == "" {
			out = append(out, m)
		}
	}
	return out
}

// recipients is what a call takes of the quota.
func (c *accepted) recipients() (n int) {
	for _, m := range c.mails {
		n += len(m.To)
	}
	return n
}

// eventsOf makes a call's events.
func (s *Server) eventsOf(c *accepted) [][]byte {
	var events [][]byte
	for i, m := range c.mails {
		e := s.reporter(m)
		if why := c.failures[i]; why != "" {
			e.failure(why)
		} else {
			e.send()
			for _, to := range m.To {
				e.outcome(to)
			}
		}
		events = append(events, e.events...)
	}
	return events
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
