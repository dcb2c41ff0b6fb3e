package lint

import (
	"net/url"
	"strings"
)

// private applies link-private: nothing may tell on a reader.
func (l *Linter) private(r *report, where string, p *page, digest bool) {
	for _, i := range p.images {
		if i.tiny {
			r.error("link-private", where, "In %s is an image that nobody sees, a tracking pixel: %s", where, short(i.src))
		}
	}
	for _, d := range p.loads {
		if strings.Contains(d.url, "{{") {
			r.error("link-private", where, "In %s %s is loaded from an address of each reader's own: %s", where, d.what, short(d.url))
		} else if l.third(d.url) {
			r.error("link-private", where, "In %s %s is loaded from another site, which learns who reads: %s", where, d.what, short(d.url))
		}
	}
	for _, k := range p.links {
		if why := l.personal(k.href, digest); why != "" {
			r.error("link-private", where, "In %s a link tells readers apart, by %s: %s", where, why, short(k.href))
		}
	}
	l.sponsored(r, where, p)
}

// third reports whether an address is of another site. What is relative or within the mail itself is not.
func (l *Linter) third(address string) bool {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return true
	}
	if u.Host == "" {
		return u.Scheme != "" && u.Scheme != "data" && u.Scheme != "cid" && u.Opaque == ""
	}
	return !l.own(u) && !strings.EqualFold(u.Host, l.base.Host)
}

// personal says what in a link could be one reader's. The footer's own links are each reader's and are meant to be.
func (l *Linter) personal(href string, digest bool) string {
	if (href == unsubscribe || href == preferences) && digest {
		return ""
	}
	if strings.Contains(href, "{{") {
		return "a substitution"
	}
	u, err := url.Parse(href)
	if err != nil || u.Host == "" {
		return ""
	}
	for name, values := range u.Query() {
		if l.query[strings.ToLower(name)] {
			return "the parameter “" + clean(name) + "”"
		}
		if strings.Contains(strings.Join(values, " "), "@") {
			return "an address in it"
		}
	}
	if !digest && l.own(u) {
		for _, family := range []string{"/unsubscribe/", "/preferences/", "/confirm/", "/address/"} {
			if strings.HasPrefix(strings.TrimPrefix(u.Path, l.base.Path), family) {
				return "somebody's personal token"
			}
		}
	}
	return ""
}

func (l *Linter) sponsored(r *report, where string, p *page) {
	if p.sponsors {
		r.warn("link-private", where, "In %s is a sponsored link. Say so beside it, and pass nothing on about readers.", where)
	}
	for _, b := range p.blocks {
		if s, m, ok := l.first("sponsored", sentences(b)); ok {
			r.warn("link-private", where, "In %s is a sponsored item: “%s”. Say so beside it, and pass nothing on about readers.", where, s.clip(m[0], m[1]))
			return
		}
	}
}
