// Package pages renders the pages of templates/pages in the clinic's name and serves their styles. It exists so that
// handlers say what is to be shown and nothing about how: a page is a file, its data a struct of the handler's.
package pages

import (
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"tidings/internal/web"
)

// Policies for the header Content-Security-Policy. No page has inline styles or scripts, nor anything of third parties.
const (
	// CSP is for every public page.
	CSP = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	// FrameCSP is for pages that show one of their own origin's in a frame: the inbox's.
	FrameCSP = CSP + "; frame-src 'self'"
	// MailCSP is for a mail's HTML shown in such a frame: its own inline styles, no scripts, nothing from elsewhere,
	// and links that open in a tab of their own.
	MailCSP = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)

// DemoCSP is CSP for the demo page, whose form posts to an origin that need not be its own.
func DemoCSP(action string) string {
	origin := action
	if i := strings.Index(action, "://"); i >= 0 {
		if j := strings.IndexByte(action[i+3:], '/'); j >= 0 {
			origin = action[:i+3+j]
		}
	} else {
		origin = "'self'"
	}
	return strings.NewReplacer("connect-src 'self'", "connect-src 'self' "+origin, "form-action 'self'", "form-action 'self' "+origin).Replace(CSP)
}

// A Site is what pages say about their sender.
type Site struct {
	Name          string // the clinic's
	BaseURL       string // public origin of every link, without a trailing slash
	PostalAddress string
	Lang          string // of the texts; "en" when empty
}

// Pages renders pages; it implements web.Renderer. It is safe for concurrent use.
type Pages struct {
	site  Site
	pages map[string]*template.Template
}

// New reads every page of fsys, whose root is the folder templates. A page that cannot be parsed is an error here,
// not at a visitor's request.
func New(fsys fs.FS, site Site) (*Pages, error) {
	site.BaseURL = strings.TrimRight(site.BaseURL, "/")
	if site.Lang == "" {
		site.Lang = "en"
	}
	layout, err := template.New("layout.html").Funcs(funcs(fsys)).ParseFS(fsys, "pages/layout.html", "pages/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("pages: layout: %w", err)
	}
	p := &Pages{site: site, pages: map[string]*template.Template{}}
	for _, glob := range []string{"pages/*.html", "pages/local/*.html"} {
		files, err := fs.Glob(fsys, glob)
		if err != nil {
			return nil, fmt.Errorf("pages: %w", err)
		}
		for _, file := range files {
			if path.Base(file) == "layout.html" {
				continue
			}
			t, err := template.Must(layout.Clone()).ParseFS(fsys, file)
			if err != nil {
				return nil, fmt.Errorf("pages: %s: %w", file, err)
			}
			p.pages[strings.TrimSuffix(strings.TrimPrefix(file, "pages/"), ".html")] = t
		}
	}
	return p, nil
}

// view is what a template sees.
type view struct {
	web.View
	Site Site
	Page string
}

// Render writes a page. A name without a file and a template that fails on its data are errors.
func (p *Pages) Render(w io.Writer, page string, v web.View) error {
	t, ok := p.pages[page]
	if !ok {
		return fmt.Errorf("render page %q: there is no such page", page)
	}
	if err := t.ExecuteTemplate(w, "layout.html", view{View: v, Site: p.site, Page: page}); err != nil {
		return fmt.Errorf("render page %q: %w", page, err)
	}
	return nil
}

func funcs(fsys fs.FS) template.FuncMap {
	return template.FuncMap{
		"asset": func(name string) (string, error) { return assetURL(fsys, name) },
		"date":  func(t time.Time) string { return t.UTC().Format("January 2, 2006") },
		"day":   func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"clock": func(t time.Time) string { return t.UTC().Format("Jan 2, 15:04:05") },
		"rfc":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"lines": func(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") },
		"topic": web.TopicName,
	}
}
