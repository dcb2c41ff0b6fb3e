package mail

import (
	"fmt"
	"strings"
	"time"
)

// A Digest is what editors compose. Title, Subject and at least one article's title and URL are required; the rest may
// be empty. All of it is plain text.
type Digest struct {
	Title     string
	Subject   string // default: Title
	Preheader string // what mailboxes show beside the subject; default: the articles' titles
	Intro     string // blank lines separate paragraphs
	Articles  []Article
	WebURL    string // the digest as a page, public; no link to it when empty
}

// An Article is one entry of a digest.
type Article struct {
	Title, Summary string
	URL            string // public address, http or https
	Topics         []string
	PublishedAt    time.Time // zero: no date is shown
}

// The standing words of every digest's footer, which the linter asks for (med-disclaimer, med-advice).
const (
	Disclaimer = "Ketamine is not FDA-approved for the treatment of any psychiatric disorder; for these conditions it is prescribed off-label."
	Advice     = "This newsletter is general information, not medical advice. Talk to your clinician before you start, stop or change a treatment. In an emergency call 911; if you are in crisis or thinking about suicide, call or text 988 at any hour."
)

// maxPreheader is in characters: mailboxes show 40 to 130.
const maxPreheader = 130

// digestPage is what the digest's templates see.
type digestPage struct {
	Site                      Site
	Title, Subject, Preheader string
	WebURL                    string
	Intro                     []string
	Articles                  []entry
	Disclaimer, Advice, Why   string
}

type entry struct{ Title, Summary, Meta, URL string }

// Digest renders a digest's content: what is previewed, frozen, hashed and handed to SES as an inline template. Its
// subject, HTML and text hold the substitutions of Substitutions and no other.
func (b *Builder) Digest(d Digest) (Content, error) {
	p := digestPage{
		Site: b.site, Title: oneLine(d.Title), Subject: oneLine(d.Subject), Preheader: oneLine(d.Preheader),
		Intro: paragraphs(d.Intro), Disclaimer: Disclaimer, Advice: Advice, WebURL: d.WebURL,
		Why: fmt.Sprintf("You get this newsletter because you subscribed to it at %s and confirmed it.", b.site.Name),
	}
	if d.WebURL != "" {
		if err := checkLink(d.WebURL); err != nil {
			return Content{}, fmt.Errorf("build digest: its page: %w", err)
		}
	}
	var titles []string
	for i, a := range d.Articles {
		if err := checkLink(a.URL); err != nil {
			return Content{}, fmt.Errorf("build digest: article %d: %w", i+1, err)
		}
		p.Articles = append(p.Articles, entry{Title: oneLine(a.Title), Summary: oneLine(a.Summary), Meta: meta(a), URL: a.URL})
		titles = append(titles, oneLine(a.Title))
	}
	if p.Subject == "" {
		p.Subject = p.Title
	}
	if p.Preheader == "" {
		p.Preheader = cut(strings.Join(titles, " · "), maxPreheader)
	}
	c, err := b.execute("digest", p)
	c.Subject, c.Preheader = literalText(p.Subject), p.Preheader
	return c, err
}

// meta is an article's line of date and topics.
func meta(a Article) string {
	var parts []string
	if !a.PublishedAt.IsZero() {
		parts = append(parts, a.PublishedAt.UTC().Format("January 2, 2006"))
	}
	for _, t := range a.Topics {
		parts = append(parts, strings.ReplaceAll(oneLine(t), "-", " "))
	}
	return strings.Join(parts, " · ")
}

// oneLine makes any text one line: a line break in a subject would be a header of its own.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// paragraphs splits plain text at blank lines.
func paragraphs(s string) []string {
	var out []string
	for _, p := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		if p = oneLine(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// cut shortens s to at most n characters, at a blank.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	short := string(r[:n-1])
	if i := strings.LastIndexByte(short, ' '); i > 0 {
		short = short[:i]
	}
	return strings.TrimRight(short, " ·,;:") + "…"
}
