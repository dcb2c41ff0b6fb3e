package web

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"

	"tidings/internal/digest"
)

// An ArchiveReader reads digests that are out. Faults: NotFound by Issue, Invalid for a cursor that Issues did not give out.
type ArchiveReader interface {
	Issue(ctx context.Context, slug string) (digest.Issue, error)
	// Issues lists those that are sent.
	Issues(ctx context.Context, cursor string, limit int) (digest.IssueList, error)
}

// Archive serves the digests as the site's own pages: the frozen words, with nothing that belongs to one reader.
type Archive struct {
	*Responder
	Store   ArchiveReader
	BaseURL string // public origin, without a trailing slash
}

// Register adds the routes.
func (h Archive) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /digests", h.list)
	mux.HandleFunc("GET /digests.json", h.list)
	mux.HandleFunc("GET /digests/{slug}", h.one)
}

// A DigestsPage is what the page "digests" shows.
type DigestsPage struct {
	Items []IssueCard
	First bool   // nothing is newer than these
	Next  string // path of the next page; empty when there is none
}

// An IssueCard is one digest in a list, on a page and in JSON.
type IssueCard struct {
	Slug      string    `json:"slug"`
	Title     string    `json:"title"`
	Summary   string    `json:"summary"`
	SentAt    time.Time `json:"sentAt"`
	Day       time.Time `json:"-"` // for people: by the clinic's calendar
	UpdatedAt time.Time `json:"updatedAt"`
	URL       string    `json:"url"`
}

// A DigestPage is what the page "digest" shows.
type DigestPage struct {
	Issue    IssueCard
	Intro    []string // paragraphs
	Articles []ArticleCard
}

// publicDigest is a digest as programs read it.
type publicDigest struct {
	IssueCard
	Articles []ArticleCard `json:"articles"`
	HTML     string        `json:"html"`
	Text     string        `json:"text"`
}

// issueList is a page of the archive.
type issueList struct {
	Items []IssueCard `json:"items"`
	Next  string      `json:"next"`
}

func (h Archive) list(w http.ResponseWriter, r *http.Request) {
	cursor, limit, err := pageQuery(r)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	l, err := h.Store.Issues(r.Context(), cursor, limit)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	items := issueCards(l.Items, h.BaseURL)
	var modified time.Time
	for _, c := range l.Items {
		if c.UpdatedAt.After(modified) {
			modified = c.UpdatedAt
		}
	}
	if asJSON(r) {
		h.cachedJSON(w, r, modified, issueList{items, l.Next})
		return
	}
	page := DigestsPage{Items: items, First: cursor == "", Next: nextPage("/digests", l.Next, limit)}
	h.cachedPage(w, r, modified, "digests", View{Title: "Past issues", NoIndex: !page.First, Data: page})
}

func (h Archive) one(w http.ResponseWriter, r *http.Request) {
	issue, err := h.Store.Issue(r.Context(), strings.TrimSuffix(r.PathValue("slug"), ".json"))
	if err != nil {
		h.Error(w, r, err)
		return
	}
	page := DigestPage{
		Issue: issueCards([]digest.IssueCard{issue.IssueCard}, h.BaseURL)[0], Intro: paragraphs(issue.Intro), Articles: cards(issue.Articles, h.BaseURL),
	}
	if asJSON(r) {
		h.cachedJSON(w, r, issue.UpdatedAt, publicDigest{page.Issue, page.Articles, page.html(), page.text()})
		return
	}
	h.cachedPage(w, r, issue.UpdatedAt, "digest", View{Title: issue.Title, NoIndex: !issue.Listed, Data: page})
}

// issueCards makes rows of cards; never nil.
func issueCards(all []digest.IssueCard, baseURL string) []IssueCard {
	out := make([]IssueCard, len(all))
	for i, c := range all {
		out[i] = IssueCard{c.Slug, c.Title, c.Summary, c.SentAt, c.Day, c.UpdatedAt, baseURL + "/digests/" + c.Slug}
	}
	return out
}

// paragraphs splits what an editor wrote at blank lines.
func paragraphs(s string) []string {
	var out []string
	for _, p := range strings.Split(s, "\n\n") {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// html is the digest without its title, for programs that show it in a page of their own.
func (p DigestPage) html() string {
	var b strings.Builder
	for _, s := range p.Intro {
		fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(s))
	}
	for _, a := range p.Articles {
		fmt.Fprintf(&b, "<h2><a href=\"%s\">%s</a></h2>\n", html.EscapeString(a.URL), html.EscapeString(a.Title))
		if a.Summary != "" {
			fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(a.Summary))
		}
	}
	return strings.TrimSpace(b.String())
}

// text is the same words as html.
func (p DigestPage) text() string {
	parts := append([]string{}, p.Intro...)
	for _, a := range p.Articles {
		parts = append(parts, a.Title)
		if a.Summary != "" {
			parts = append(parts, a.Summary)
		}
		parts = append(parts, a.URL)
	}
	return strings.Join(parts, "\n\n")
}
