package sesapi

import (
	"mime"
	"slices"
	"strings"
	"time"
	"unique"
)

// A Header is a field of a message's header.
type Header struct{ Name, Value string }

// A Tag is a message tag, which SES's events carry.
type Tag struct{ Name, Value string }

// A body is a message's parts before substitution. Equal ones are kept once (package unique), however many calls bring them.
type body struct{ subject, html, text string }

// shared is what the mails of one call have in common.
type shared struct {
	from     string
	replyTo  []string
	set      string
	body     unique.Handle[body]
	template bool
	data     string // default values
	headers  []Header
	tags     []Tag
	needs    need // empty where the mails were read from a journal, which knows what could not be rendered
}

// A Mail is a message that SES accepted. It is rendered when its methods are called.
type Mail struct {
	ID         string // SES's message ID
	AcceptedAt time.Time
	To         []string // bare addresses of everyone it went to, as SES got them

	dest    destination
	call    *shared
	headers []Header // the recipient's own, which beat the call's of the same name
	tags    []Tag
	data    string // the recipient's own values
	raw     []byte // of a message that was sent as Raw, as it went out
}

// values are the recipient's own over the default ones.
func (m *Mail) values() map[string]string { return values(m.call.data, m.data) }

// failure returns why the mail cannot be rendered, or "".
func (m *Mail) failure() string {
	if !m.call.template || len(m.call.needs.names) == 0 && !m.call.needs.broken {
		return ""
	}
	return m.call.needs.failure(m.values())
}

// part renders one part of the body.
func (m *Mail) part(s string) string {
	if !m.call.template || !strings.Contains(s, "{{") {
		return s
	}
	return substitute(s, m.values())
}

// From is the sender as given, its name decoded.
func (m *Mail) From() string { return decodeWords(m.call.from) }

// Subject returns the subject as the recipient sees it.
func (m *Mail) Subject() string {
	if m.raw != nil {
		return field(m.Headers(), "Subject")
	}
	return m.part(m.call.body.Value().subject)
}

// HTML returns the HTML part, or "".
func (m *Mail) HTML() string {
	if m.raw != nil {
		html, _ := parts(m.raw)
		return html
	}
	return m.part(m.call.body.Value().html)
}

// Text returns the plain-text part, or "".
func (m *Mail) Text() string {
	if m.raw != nil {
		_, text := parts(m.raw)
		return text
	}
	return m.part(m.call.body.Value().text)
}

// Tags returns the message tags.
func (m *Mail) Tags() []Tag {
	return merge(m.call.tags, m.tags, func(a, b string) bool { return a == b })
}

// merge returns the defaults that are not replaced, and then the replacements, in their order.
func merge[F Header | Tag](defaults, replacements []F, same func(a, b string) bool) []F {
	out := make([]F, 0, len(defaults)+len(replacements))
	for _, d := range defaults {
		if !slices.ContainsFunc(replacements, func(r F) bool { return same(Header(r).Name, Header(d).Name) }) {
			out = append(out, d)
		}
	}
	return append(out, replacements...)
}

// Headers returns the header in its order, unfolded and decoded (RFC 2047).
func (m *Mail) Headers() []Header {
	raw := m.raw
	if raw == nil {
		raw = m.header("")
	}
	list := readHeader(raw)
	for i := range list {
		list[i].Value = decodeWords(list[i].Value)
	}
	return list
}

// field returns the value of the first header of a name.
func field(list []Header, name string) string {
	for _, h := range list {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func decodeWords(s string) string {
	var d mime.WordDecoder
	if out, err := d.DecodeHeader(s); err == nil {
		return out
	}
	return s
}
