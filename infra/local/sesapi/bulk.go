package sesapi

import (
	"context"
	"unique"
)

// A result is SES's answer for one entry.
type result struct {
	Status    string
	Error     string `json:",omitempty"`
	MessageID string `json:"MessageId,omitempty"`
}

// do sends one message to each entry (POST /v2/email/outbound-bulk-emails). Whatever is wrong with the request refuses all of it. A call
// that the rate does not allow is refused whole, too; where the daily quota ends in between, the entries after it get a status.
func (in *bulkInput) do(ctx context.Context, s *Server, f Fault) (any, *apiError) {
	mails, err := in.mails(s)
	if err != nil {
		return nil, err
	}
	results := make([]result, len(mails))
	var send []int   // entries to accept
	var sizes []int  // their recipients
	var loud []*Mail // what is accepted
	for i, m := range mails {
		accept := true
		results[i] = result{Status: "SUCCESS", MessageID: m.ID}
		if !s.knowsSet(m.call.set) {
			results[i], accept = refused("CONFIGURATION_SET_NOT_FOUND"), false
		} else if f.hits(i) {
			var status string
			if status, accept = f.entry(); status != "SUCCESS" {
				results[i] = refused(status)
			}
		}
		if accept {
			send, sizes = append(send, i), append(sizes, len(m.To))
		}
	}
	granted, err := s.limits.grant(s.Now(), s.Settings(), sizes, true)
	if err != nil {
		return nil, err
	}
	for n, i := range send {
		if n >= granted {
			results[i] = refused("ACCOUNT_DAILY_QUOTA_EXCEEDED")
			continue
		}
		loud = append(loud, mails[i])
	}
	if err := s.accept(ctx, loud, f.Kind == FaultMute); err != nil {
		return nil, err
	}
	return map[string]any{"BulkEmailEntryResults": results}, nil
}

func refused(status string) result { return result{Status: status, Error: bulkStatuses[status]} }

// mails checks the request and makes its messages.
func (in *bulkInput) mails(s *Server) ([]*Mail, *apiError) {
	if err := in.check(false); err != nil {
		return nil, err
	}
	if n := len(in.BulkEmailEntries); n == 0 || n > maxEntries {
		return nil, badRequest("A call has 1 to %d entries.", maxEntries)
	}
	common, err := in.common()
	if err != nil {
		return nil, err
	}
	now := s.Now()
	mails := make([]*Mail, len(in.BulkEmailEntries))
	for i, e := range in.BulkEmailEntries {
		if mails[i], err = e.mail(common); err != nil {
			return nil, err
		}
		mails[i].ID, mails[i].AcceptedAt = s.NewID(), now
	}
	return mails, nil
}

// common checks the template and what is the default for every entry.
func (in *bulkInput) common() (*shared, *apiError) {
	t := in.DefaultContent.Template
	switch {
	case t == nil:
		return nil, badRequest("DefaultContent has no template.")
	case t.TemplateContent == nil && (t.TemplateName != "" || t.TemplateArn != ""):
		return nil, notFound("The local SES stores no templates: give TemplateContent.")
	case t.TemplateContent == nil || t.TemplateName != "" || t.TemplateArn != "":
		return nil, badRequest("A template has either TemplateContent, or the name of one that is stored.")
	case len(t.Attachments) > 0:
		return nil, badRequest("The local SES takes attachments in Raw messages only.")
	case len(t.TemplateContent.Subject)+len(t.TemplateContent.Html)+len(t.TemplateContent.Text) > maxTemplate:
		return nil, badRequest("The template is larger than %d bytes.", maxTemplate)
	}
	b := body{t.TemplateContent.Subject, t.TemplateContent.Html, t.TemplateContent.Text}
	if b.subject == "" {
		return nil, badRequest("The template has no subject.")
	}
	for _, err := range []*apiError{checkBody(b), checkHeaders(t.Headers), checkTags(in.DefaultEmailTags), checkData(t.TemplateData)} {
		if err != nil {
			return nil, err
		}
	}
	c := in.shared()
	c.body, c.template, c.data, c.needs = unique.Make(b), true, t.TemplateData, needs(b)
	c.headers, c.tags = intern(t.Headers), intern(in.DefaultEmailTags)
	return c, nil
}

// mail makes one entry's message.
func (e bulkEntry) mail(common *shared) (*Mail, *apiError) {
	data := e.ReplacementEmailContent.ReplacementTemplate.ReplacementTemplateData
	for _, err := range []*apiError{checkHeaders(e.ReplacementHeaders), checkTags(e.ReplacementTags), checkData(data)} {
		if err != nil {
			return nil, err
		}
	}
	to, err := e.Destination.all()
	if err != nil {
		return nil, err
	}
	if len(to) == 0 {
		return nil, badRequest("An entry has no recipient.")
	}
	return &Mail{To: to, dest: e.Destination, call: common, data: data, headers: intern(e.ReplacementHeaders), tags: intern(e.ReplacementTags)}, nil
}
