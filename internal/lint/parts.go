package lint

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"tidings/internal/article"
	"tidings/internal/digest"
	"tidings/internal/mail"
)

// Bounds of the rules. Gmail clips at about 102 KB.
const (
	sizeError   = 100_000 // bytes of HTML
	sizeWarning = 80_000
	subjectLong = 60 // characters
)

// parts applies the rules on how the mail is made: render, size, subject, part-text.
func (l *Linter) parts(r *report, c digest.Content, p *page, articles []article.Article) {
	l.render(r, c, p)
	l.subject(r, literal(c.Subject))
	l.bothParts(r, c, p, articles)
	switch n := len(c.HTML); {
	case n > sizeError:
		r.error("size", "the digest", "The HTML part has %d bytes, at most %d are allowed: Gmail would clip it, and the unsubscribe link with it.", n, sizeError)
	case n > sizeWarning:
		r.warn("size", "the digest", "The HTML part has %d bytes; Gmail clips at about 102,000, so keep it below %d.", n, sizeWarning)
	}
}

// known are the substitutions that every copy gets values for.
var known = func() map[string]bool {
	names := map[string]bool{}
	for name := range mail.Substitutions("", mail.Links{}) {
		names[name] = true
	}
	return names
}()

func (l *Linter) render(r *report, c digest.Content, p *page) {
	for _, part := range []struct{ name, s string }{{"subject", c.Subject}, {"HTML part", c.HTML}, {"plain-text part", c.Text}} {
		for _, bad := range unresolved(part.s) {
			r.error("render", "the digest", "The %s holds “%s”, which nothing fills: SES would drop the mail.", part.name, bad)
		}
	}
	switch {
	case p.broken:
		r.error("render", "the digest", "The HTML part cannot be read.")
	case p.lang == "":
		r.error("render", "the digest", "The HTML part does not say its language (lang), which screen readers need.")
	}
	var twice []string
	for id, n := range p.ids {
		if n > 1 {
			twice = append(twice, id)
		}
	}
	slices.Sort(twice)
	for _, id := range twice {
		r.error("render", "the digest", "The id “%s” stands %d times in the HTML part.", short(id), p.ids[id])
	}
	for _, t := range p.pale {
		r.warn("render", "the digest", "Text stands out too little from its ground, %.1f:1 where %.1f:1 is needed: “%s”.", t.ratio, t.wants, short(t.text))
	}
	if strings.TrimSpace(c.Preheader) == "" || !strings.Contains(p.hidden+" "+p.text(), clean(c.Preheader)) {
		r.warn("render", "the digest", "There is no preheader, the words that mailboxes show beside the subject.")
	}
}

// unresolved returns the substitutions that have no value, and what is not closed.
func unresolved(s string) []string {
	var bad []string
	for {
		_, rest, found := strings.Cut(s, "{{")
		if !found {
			return bad
		}
		key, after, closed := strings.Cut(rest, "}}")
		switch {
		case !closed:
			return append(bad, short("{{"+rest[:min(len(rest), 40)]))
		case !known[strings.TrimSpace(key)]:
			bad = append(bad, short("{{"+key+"}}"))
		}
		s = after
	}
}

// literal puts back the braces that an editor wrote.
func literal(s string) string { return strings.ReplaceAll(s, "{{lbrace}}", "{{") }

var reply = regexp.MustCompile(`(?i)^\s*(?:re|fwd?|aw|wg)\s*(?:\[\d+\])?\s*:`)

func (l *Linter) subject(r *report, s string) {
	upper, lower := 0, 0
	for _, c := range s {
		if unicode.IsUpper(c) {
			upper++
		} else if unicode.IsLower(c) {
			lower++
		}
	}
	n := len([]rune(s))
	switch {
	case strings.TrimSpace(s) == "":
		r.error("subject", "the digest", "The subject is empty.")
	case strings.ContainsFunc(s, unicode.IsControl):
		r.error("subject", "the digest", "The subject holds a line break or another control character.")
	case reply.MatchString(s):
		r.error("subject", "the digest", "The subject pretends to be an answer or forwarded: “%s”.", short(s))
	}
	if n > subjectLong {
		r.warn("subject", "the digest", "The subject has %d characters; phones show about %d.", n, subjectLong)
	}
	if upper > 5 && lower == 0 {
		r.warn("subject", "the digest", "The subject is all capitals, which reads like shouting and looks like spam.")
	}
	if strings.Contains(s, "!!") {
		r.warn("subject", "the digest", "The subject holds “!!”, which looks like spam.")
	}
	for _, sentence := range sentences(s) {
		for _, m := range l.words["urgency"].find(sentence.lower) {
			r.warn("subject", "the digest", "The subject presses its reader with “%s”, which looks like spam.", sentence.word(m[0], m[1]))
		}
	}
}

// bothParts applies part-text: every article is in both parts, by its title and its address.
func (l *Linter) bothParts(r *report, c digest.Content, p *page, articles []article.Article) {
	if strings.TrimSpace(c.Text) == "" {
		r.error("part-text", "the digest", "There is no plain-text part.")
		return
	}
	html, text := l.articleLinks(p), map[string]bool{}
	for _, m := range bare.FindAllString(c.Text, -1) {
		if path, ok := l.articlePath(strings.TrimRight(m, ".,;:!?)]")); ok {
			text[path] = true
		}
	}
	const differ = "The two parts differ in articles: %s is in the %s part only."
	for _, path := range sorted(html) {
		if !text[path] {
			r.error("part-text", "the digest", differ, path, "HTML")
		}
	}
	for _, path := range sorted(text) {
		if !html[path] {
			r.error("part-text", "the digest", differ, path, "plain-text")
		}
	}
	inHTML, inText := words(p.text()), words(bare.ReplaceAllString(literal(c.Text), "")) // addresses have the words of titles, too
	for _, a := range articles {
		title := words(a.Title)
		for _, part := range []struct{ name, s string }{{"HTML", inHTML}, {"plain-text", inText}} {
			if !strings.Contains(part.s, title) {
				r.error("part-text", "the digest", "The article “%s” is missing from the %s part.", a.Title, part.name)
			}
		}
	}
}

func (l *Linter) articleLinks(p *page) map[string]bool {
	paths := map[string]bool{}
	for _, k := range p.links {
		if path, ok := l.articlePath(k.href); ok {
			paths[path] = true
		}
	}
	return paths
}

// articlePath returns the path of an article's own address.
func (l *Linter) articlePath(href string) (string, bool) {
	u, err := url.Parse(strings.TrimSpace(href))
	if err != nil || !l.own(u) {
		return "", false
	}
	path := strings.TrimPrefix(u.Path, l.base.Path)
	return path, strings.HasPrefix(path, "/articles/")
}

func sorted(set map[string]bool) []string {
	keys := make([]string, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
