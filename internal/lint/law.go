package lint

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"tidings/internal/digest"
	"tidings/internal/mail"
)

// A part is one of a mail's two bodies: its paragraphs, and what it is called.
type part struct {
	name   string
	blocks []string
}

func partsOf(c digest.Content, p *page) []part {
	return []part{{"The HTML part", p.blocks}, {"The plain-text part", paragraphs(c.Text)}}
}

// disclaimers demands the standing words of the footer in both parts.
func (l *Linter) disclaimers(r *report, c digest.Content, p *page) {
	for _, part := range partsOf(c, p) {
		if !slices.ContainsFunc(part.blocks, l.disclaims) {
			r.error("med-disclaimer", "the digest", "%s does not say that ketamine is not FDA-approved for any psychiatric disorder. The standard footer says it.", part.name)
		}
		text := strings.ToLower(clean(strings.Join(part.blocks, "\n")))
		if !strings.Contains(text, "not medical advice") && !strings.Contains(text, "no medical advice") && !strings.Contains(text, "not a substitute for medical advice") {
			r.error("med-advice", "the digest", "%s does not say that it is not medical advice. The standard footer says it.", part.name)
		}
		if !strings.Contains(text, "988") || !strings.Contains(text, "911") && !strings.Contains(text, "emergency") {
			r.error("med-advice", "the digest", "%s does not say whom to call in an emergency (911) and in a crisis (988). The standard footer says it.", part.name)
		}
	}
}

// disclaims reports whether a block denies that ketamine is approved for psychiatric disorders.
func (l *Linter) disclaims(block string) bool {
	for _, s := range sentences(block) {
		if !l.words["ketamine"].in(s.lower) || !strings.Contains(s.lower, "psychiatric") {
			continue
		}
		for _, m := range l.words["approvals"].among(s.tokens) {
			if l.denied(s, m[0], m[1]) {
				return true
			}
		}
	}
	return false
}

// The links of each reader's own.
const (
	unsubscribe = "{{unsubscribe_url}}"
	preferences = "{{preferences_url}}"
)

// law checks address and unsubscribe link in both parts, and the headers of one-click unsubscribe.
func (l *Linter) law(r *report, c digest.Content, p *page) {
	address := words(l.site.PostalAddress)
	if address == "" {
		r.error("law-address", "the digest", "No postal address is configured for the footer.")
	}
	for _, part := range partsOf(c, p) {
		if !strings.Contains(words(strings.Join(part.blocks, " ")), address) {
			r.error("law-address", "the digest", "%s does not show the postal address, %s. The standard footer does.", part.name, l.site.PostalAddress)
		}
	}
	visible := slices.ContainsFunc(p.links, func(k link) bool {
		return k.href == unsubscribe && !k.hidden && l.words["leave"].in(strings.ToLower(k.text))
	})
	if !visible {
		r.error("law-unsubscribe", "the digest", "The HTML part has no visible unsubscribe link. The standard footer has one.")
	}
	if !strings.Contains(c.Text, unsubscribe) {
		r.error("law-unsubscribe", "the digest", "The plain-text part has no unsubscribe link. The standard footer has one.")
	}
	l.headers(r)
}

// headers builds the headers as deliver does, with a link of the usual form. RFC 8058 §3.1: an HTTPS URI, and the Post field.
func (l *Linter) headers(r *report) {
	values := map[string]string{}
	for _, h := range mail.ListHeaders(l.site, l.site.BaseURL+"/unsubscribe/"+strings.Repeat("x", 64)) {
		values[h.Name] = h.Value
		if len(h.Value) > 995 || strings.ContainsFunc(h.Value, func(c rune) bool { return c < ' ' || c > '~' }) {
			r.error("law-unsubscribe", "the digest", "The header %s is not one that SES takes: printable ASCII of at most 995 characters.", h.Name)
		}
	}
	link := strings.TrimSuffix(strings.TrimPrefix(values["List-Unsubscribe"], "<"), ">")
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		r.error("law-unsubscribe", "the digest", "The header List-Unsubscribe does not hold an https address, so that mailboxes will not offer it.")
	}
	if values["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" {
		r.error("law-unsubscribe", "the digest", "The header List-Unsubscribe-Post is missing: there is no one-click unsubscribe without it.")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// words returns the letters and digits of a text with single blanks between, so that line breaks and commas do not count.
func words(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(clean(s)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}
