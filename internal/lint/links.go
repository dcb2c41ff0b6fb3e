package lint

import (
	"net/url"
	"regexp"
	"strings"
)

// links applies link-safe to the links of a page, and demands that nothing in it runs.
func (l *Linter) links(r *report, where string, p *page, digest bool) {
	for _, k := range p.links {
		l.link(r, where, k.href, digest)
	}
	if p.scripts > 0 {
		r.error("link-safe", where, "In %s is a script or an event handler. Mailboxes take that for an attack.", where)
	}
}

var bare = regexp.MustCompile(`(?i)\b(?:https?|javascript|data|vbscript|ftp)://?[^\s<>"]+`)

// textLinks applies link-safe to the addresses in the plain-text part.
func (l *Linter) textLinks(r *report, text string) {
	for _, m := range bare.FindAllString(text, -1) {
		l.link(r, "the digest", strings.TrimRight(m, ".,;:!?)]"), true)
	}
}

// link judges one address as browsers read it: they drop line breaks and tabs, and blanks around it.
func (l *Linter) link(r *report, where, href string, digest bool) {
	shown := short(href)
	href = strings.TrimSpace(strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(href))
	if href == unsubscribe || href == preferences || strings.HasPrefix(href, "#") {
		return
	}
	lower := strings.ToLower(href)
	for _, scheme := range []string{"javascript:", "data:", "vbscript:"} {
		if strings.HasPrefix(strings.TrimLeft(lower, "\x00\x01\x02\x03\x04\x05\x06\x07\x08 "), scheme) {
			r.error("link-safe", where, "In %s a link runs code or hides a page in itself (%s): %s", where, scheme, shown)
			return
		}
	}
	if strings.HasPrefix(lower, "mailto:") || strings.HasPrefix(lower, "tel:") || strings.HasPrefix(lower, "sms:") {
		return
	}
	u, err := url.Parse(href)
	switch {
	case href == "":
		r.error("link-safe", where, "In %s a link leads nowhere: it has no address.", where)
	case err != nil:
		r.error("link-safe", where, "In %s an address cannot be read: %s", where, shown)
	case u.Host == "" && u.Scheme == "" && !digest:
		// An article's own page resolves it.
	case u.User != nil:
		r.error("link-safe", where, "In %s a link holds a user name or password: %s", where, short(u.Redacted()))
	case l.own(u):
	case u.Scheme != "https":
		r.error("link-safe", where, "In %s a link is not https: %s", where, shown)
	case l.shortener(u):
		r.error("link-safe", where, "In %s a link hides where it leads, by the shortener %s: %s", where, u.Hostname(), shown)
	}
}

// own reports whether an address lies below the base URL.
func (l *Linter) own(u *url.URL) bool {
	return u.User == nil && strings.EqualFold(u.Host, l.base.Host) && u.Scheme == l.base.Scheme && strings.HasPrefix(u.Path+"/", l.base.Path+"/")
}

func (l *Linter) shortener(u *url.URL) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	return l.hosts[host] || l.hosts[strings.TrimPrefix(host, "www.")]
}

// short quotes an address so that it can be found.
func short(s string) string {
	if r := []rune(clean(s)); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return clean(s)
}
