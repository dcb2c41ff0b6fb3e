package sesapi

import (
	"errors"
	"time"
	"unique"
)

// A record is a line of the journal, which has exactly one of these members.
type record struct {
	Body     *keptBody `json:"body,omitempty"`
	Call     *keptCall `json:"call,omitempty"`
	Done     int64     `json:"done,omitempty"`     // the call of this number had its events published
	Settings *Settings `json:"settings,omitempty"` // those in force from here on
	Used     []keptUse `json:"used,omitempty"`     // of the quota by calls whose mails were cleared
}

type (
	// keptBody is a template; calls name it by its number, which is not used again in this file.
	keptBody struct {
		N       int    `json:"n,omitempty"`
		Subject string `json:"subject"`
		HTML    string `json:"html,omitempty"`
		Text    string `json:"text,omitempty"`
	}
	keptCall struct {
		N        int64      `json:"n"`
		At       time.Time  `json:"at"`
		From     string     `json:"from"`
		ReplyTo  []string   `json:"replyTo,omitempty"`
		Set      string     `json:"set,omitempty"`
		Template int        `json:"template,omitempty"` // number of a keptBody
		Body     *keptBody  `json:"body,omitempty"`     // of a mail that is no template's
		Data     string     `json:"data,omitempty"`
		Headers  []Header   `json:"headers,omitempty"`
		Tags     []Tag      `json:"tags,omitempty"`
		Quiet    bool       `json:"quiet,omitempty"` // it has no events, or a fault keeps them back
		Mails    []keptMail `json:"mails"`
	}
	keptMail struct {
		ID      string      `json:"id"`
		To      destination `json:"to"`
		Headers []Header    `json:"headers,omitempty"`
		Tags    []Tag       `json:"tags,omitempty"`
		Data    string      `json:"data,omitempty"`
		Raw     []byte      `json:"raw,omitempty"`
		Failure string      `json:"failure,omitempty"` // accepted and dropped: it counts for the quota, and is not in the inbox
	}
	keptUse struct {
		At time.Time `json:"at"`
		N  int       `json:"n"`
	}
)

func newKeptBody(n int, b unique.Handle[body]) *keptBody {
	v := b.Value()
	return &keptBody{N: n, Subject: v.subject, HTML: v.html, Text: v.text}
}

func (k *keptBody) handle() unique.Handle[body] {
	return unique.Make(body{subject: k.Subject, html: k.HTML, text: k.Text})
}

// newKeptCall is a call without its number, and without its template's.
func newKeptCall(c *accepted) *keptCall {
	first := c.mails[0]
	common := first.call
	k := &keptCall{
		At: first.AcceptedAt.UTC(), From: common.from, ReplyTo: common.replyTo, Set: common.set, Data: common.data,
		Headers: common.headers, Tags: common.tags, Quiet: c.quiet, Mails: make([]keptMail, len(c.mails)),
	}
	if !common.template && first.raw == nil {
		k.Body = newKeptBody(0, common.body)
	}
	for i, m := range c.mails {
		k.Mails[i] = keptMail{ID: m.ID, To: m.dest, Headers: m.headers, Tags: m.tags, Data: m.data, Raw: m.raw, Failure: c.failures[i]}
	}
	return k
}

var errNoRecord = errors.New("this line is no record")

// accepted is the call that was kept. bodies are the templates before it.
func (k *keptCall) accepted(bodies map[int]unique.Handle[body]) (*accepted, error) {
	common := &shared{from: k.From, replyTo: k.ReplyTo, set: k.Set, data: k.Data, headers: intern(k.Headers), tags: intern(k.Tags)}
	raw := k.Template == 0 && k.Body == nil
	switch {
	case k.Template != 0:
		b, ok := bodies[k.Template]
		if !ok {
			return nil, errNoRecord
		}
		common.body, common.template = b, true
	case k.Body != nil:
		common.body = k.Body.handle()
	}
	if len(k.Mails) == 0 || k.N <= 0 {
		return nil, errNoRecord
	}
	c := &accepted{n: k.N, quiet: k.Quiet, mails: make([]*Mail, len(k.Mails)), failures: make([]string, len(k.Mails))}
	for i, m := range k.Mails {
		to, err := m.To.all()
		if err != nil || len(to) == 0 || raw != (m.Raw != nil) {
			return nil, errNoRecord
		}
		c.mails[i] = &Mail{
			ID: m.ID, AcceptedAt: k.At, To: to, dest: m.To, call: common, headers: intern(m.Headers), tags: intern(m.Tags), data: m.Data, raw: m.Raw,
		}
		c.failures[i] = m.Failure
	}
	return c, nil
}

func newKeptUse(w window) []keptUse {
	out := make([]keptUse, len(w.seconds))
	for i, s := range w.seconds {
		out[i] = keptUse{s.at.UTC(), s.n}
	}
	return out
}

// intern keeps names once: a digest's mails carry the same few 50,000 times.
func intern[F Header | Tag](list []F) []F {
	for i, f := range list {
		h := Header(f)
		h.Name = unique.Make(h.Name).Value()
		list[i] = F(h)
	}
	return list
}
