package sesapi

import (
	"context"
	"strings"
	"unique"
)

// do sends one message to its recipients (POST /v2/email/outbound-emails).
func (in *sendInput) do(ctx context.Context, s *Server, f Fault) (any, *apiError) {
	m, err := in.mail(s)
	if err != nil {
		return nil, err
	}
	if !s.knowsSet(m.call.set) {
		return nil, notFound("The configuration set does not exist.")
	}
	granted, err := s.limits.grant(s.Now(), s.Settings(), []int{len(m.To)}, false)
	if err != nil {
		return nil, err
	}
	if granted == 0 {
		return nil, errorOf("LimitExceededException")
	}
	if err := s.accept(ctx, []*Mail{m}, f.Kind == FaultMute); err != nil {
		return nil, err
	}
	return map[string]string{"MessageId": m.ID}, nil
}

// mail checks the request and makes its message.
func (in *sendInput) mail(s *Server) (*Mail, *apiError) {
	c := in.Content
	switch {
	case len(c.Template) > 0:
		return nil, badRequest("The local SES sends templates by SendBulkEmail only.")
	case len(in.ListManagementOptions) > 0:
		return nil, badRequest("The local SES has no contact lists.")
	case (c.Simple == nil) == (c.Raw == nil):
		return nil, badRequest("Content has either Simple or Raw.")
	}
	if err := in.check(c.Raw != nil); err != nil {
		return nil, err
	}
	if err := checkTags(in.EmailTags); err != nil {
		return nil, err
	}
	to, err := in.Destination.all()
	if err != nil {
		return nil, err
	}
	m := &Mail{ID: s.NewID(), AcceptedAt: s.Now(), To: to, dest: in.Destination, tags: in.EmailTags, call: in.shared()}
	if c.Raw != nil {
		err = m.setRaw(c.Raw.Data)
	} else {
		err = m.setSimple(c.Simple)
	}
	if err == nil && len(m.To) == 0 {
		err = badRequest("The message has no recipient.")
	}
	return m, err
}

// shared returns what a call's mails have in common.
func (s sender) shared() *shared {
	return &shared{from: s.FromEmailAddress, replyTo: s.ReplyToAddresses, set: s.ConfigurationSetName}
}

func (m *Mail) setSimple(in *message) *apiError {
	if len(in.Attachments) > 0 {
		return badRequest("The local SES takes attachments in Raw messages only.")
	}
	if in.Subject == nil {
		return badRequest("Subject is missing.")
	}
	var b body
	for _, part := range []struct {
		from *content
		to   *string
	}{{in.Subject, &b.subject}, {in.Body.Html, &b.html}, {in.Body.Text, &b.text}} {
		if part.from == nil {
			continue
		}
		switch strings.ToUpper(part.from.Charset) {
		case "", "UTF-8", "US-ASCII":
		default:
			return badRequest("The local SES knows the character sets UTF-8 and US-ASCII only.")
		}
		*part.to = part.from.Data
	}
	if err := checkBody(b); err != nil {
		return err
	}
	if err := checkHeaders(in.Headers); err != nil {
		return err
	}
	m.call.body, m.headers = unique.Make(b), in.Headers
	return nil
}

// knowsSet reports whether a configuration set exists. None ("") always does.
func (s *Server) knowsSet(name string) bool {
	if name == "" || s.ConfigurationSets == nil {
		return true
	}
	_, ok := s.ConfigurationSets[name]
	return ok
}
