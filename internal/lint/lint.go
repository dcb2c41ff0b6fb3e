package lint

import (
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"tidings/internal/article"
	"tidings/internal/digest"
	"tidings/internal/mail"
)

// A Linter checks digests. It implements digest.Linter and is safe for concurrent use.
type Linter struct {
	site  mail.Site
	base  *url.URL
	rules []Rule
	words map[string]*phrases
	hosts map[string]bool // of shorteners
	query map[string]bool // parameters that tell readers apart
}

var _ digest.Linter = (*Linter)(nil)

// New reads the rules and words of fsys, whose root is the folder templates. The site is the one whose mails are checked:
// its postal address must stand in them, and links below its base URL are its own.
func New(fsys fs.FS, site mail.Site) (*Linter, error) {
	l := &Linter{site: site}
	l.site.BaseURL = strings.TrimRight(site.BaseURL, "/")
	var err error
	if l.base, err = url.Parse(l.site.BaseURL); err != nil || l.base.Host == "" {
		return nil, fmt.Errorf("lint: base URL %q is not an origin", site.BaseURL)
	}
	if err := l.load(fsys); err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	return l, nil
}

// Rules returns all rules in the order in which they are applied.
func (l *Linter) Rules() []Rule { return append([]Rule{}, l.rules...) }

// Lint implements digest.Linter. Content is what is frozen, with its substitutions, not one reader's copy.
func (l *Linter) Lint(c digest.Content, articles []article.Article) []digest.Finding {
	r := &report{told: map[string]bool{}, count: map[string]int{}}
	page := parsePage(c.HTML, true)
	l.parts(r, c, page, articles)
	l.law(r, c, page)
	l.disclaimers(r, c, page)

	// Articles first: what they say is corrected there, also where the digest repeats it.
	for _, a := range articles {
		where := fmt.Sprintf("the article “%s”", a.Title)
		p := parsePage(a.HTML, false)
		if a.HTML == "" {
			p.blocks = paragraphs(a.Text)
		}
		l.links(r, where, p, false)
		l.images(r, where, p)
		l.private(r, where, p, false)
		l.medical(r, where, append([]string{a.Title, a.Summary}, p.blocks...))
	}
	const where = "the digest"
	l.links(r, where, page, true)
	l.textLinks(r, c.Text)
	l.images(r, where, page)
	l.private(r, where, page, true)
	l.medical(r, where, append([]string{c.Subject, c.Preheader}, page.blocks...))
	l.medical(r, where, paragraphs(c.Text))
	return r.done()
}
