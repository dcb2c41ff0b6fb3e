// Package article turns what an editor has — Markdown, HTML, text saved from a website, a fetched page — into one
// clean article, so that a web page, a digest's HTML and its text part all show the same words and nothing that a
// stranger's page smuggled in. It knows nothing of HTTP or storage: pages reach it through Extractor, articles leave
// it as values.
package article

import (
	"slices"
	"strings"
	"time"

	"tidings/internal/fault"
)

// Bounds of an article. Those in bytes keep a stored item below DynamoDB's 400 KB.
const (
	MaxTitle   = 200        // characters
	MaxSummary = 600        // characters
	MaxSlug    = 80         // bytes, ASCII
	MaxTopics  = 10         // each at most maxTopic bytes
	MaxBody    = 200 * 1024 // bytes, as given
	MaxStored  = 380 * 1024 // bytes of body, HTML and text together
	MaxFile    = 5 << 20    // bytes of an imported file or page

	maxTopic  = 40  // bytes, ASCII
	maxPerson = 120 // characters of an author's or reviewer's name
	maxSource = 2000
)

// A Status says whether visitors see the article.
type Status string

// The two statuses.
const (
	StatusDraft     Status = "draft"
	StatusPublished Status = "published"
)

// A Format says what a body is written in.
type Format string

// The formats. Text is read as text saved from a website: see the rules at parseSaved.
const (
	Markdown Format = "markdown"
	HTML     Format = "html"
	Text     Format = "text"
)

// An Article is one article with its renderings. Times are UTC in whole seconds.
type Article struct {
	Slug         string
	Title        string
	Summary      string
	Topics       []string // slugs, see NormalTopics
	Status       Status
	PublishedAt  time.Time // the source's own date for an imported draft; zero for a draft without one
	CreatedAt    time.Time
	UpdatedAt    time.Time
	Format       Format
	Body         string // as given
	HTML         string // rendered and sanitised; headings start at h2
	Text         string // the same words for a mail's text part
	Source       string // where it was imported from; empty for an article written here
	Author       string
	Reviewer     string    // who reviewed it medically
	LastReviewed time.Time // zero: never
	Rev          int64     // 1 when created, one more with every change
}

// A Card is an article's row in a listing.
type Card struct {
	Slug        string    `json:"slug"`
	Title       string    `json:"title"`
	Summary     string    `json:"summary"`
	Topics      []string  `json:"topics"`
	Status      Status    `json:"status"`
	PublishedAt time.Time `json:"publishedAt,omitzero"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

// A List is one page of a listing. Next is empty when nothing follows.
type List struct {
	Items []Card
	Next  string
}

// Card returns the article's row.
func (a Article) Card() Card {
	return Card{a.Slug, a.Title, a.Summary, slices.Clone(a.Topics), a.Status, a.PublishedAt, a.UpdatedAt}
}

// A Draft is what an article is made of. Title and Body are required; the rest has defaults.
type Draft struct {
	Slug         string // default: made from the title
	Title        string
	Summary      string // default: the first paragraph
	Topics       []string
	Status       Status    // default: draft
	PublishedAt  time.Time // default: a date found in saved text; when published, now
	Format       Format    // default: Markdown
	Body         string
	Source       string
	Author       string
	Reviewer     string
	LastReviewed time.Time
}

// New makes an article from a draft. What cannot be accepted is a fault that names the field.
func New(d Draft, now time.Time) (Article, error) {
	a := Article{
		Slug: d.Slug, Title: d.Title, Summary: d.Summary, Topics: d.Topics, Status: d.Status, PublishedAt: d.PublishedAt,
		Format: d.Format, Body: d.Body, Source: d.Source, Author: d.Author, Reviewer: d.Reviewer, LastReviewed: d.LastReviewed,
		CreatedAt: seconds(now), Rev: 1,
	}
	if a.Status == "" {
		a.Status = StatusDraft
	}
	if a.Format == "" {
		a.Format = Markdown
	}
	if a.Slug == "" {
		a.Slug = Slug(a.Title)
	}
	if err := a.settle(now); err != nil {
		return Article{}, err
	}
	return a, nil
}

// A Change is an edit of an article; nil fields stay as they are. Slug and source never change, since links and
// later imports rely on them.
type Change struct {
	Title, Summary, Body, Author, Reviewer *string
	Format                                 *Format
	Status                                 *Status
	Topics                                 *[]string
	PublishedAt, LastReviewed              *time.Time
}

// Apply returns the article with the change made. An emptied summary is taken from the body again. Publishing keeps
// a date that the article has, so that an imported one appears under its source's date.
func (a Article) Apply(c Change, now time.Time) (Article, error) {
	c.put(&a)
	a.Rev++
	if err := a.settle(now); err != nil {
		return Article{}, err
	}
	return a, nil
}

func set[T any](field *T, v *T) {
	if v != nil {
		*field = *v
	}
}

// Draft returns a draft of the change's fields, for a new article named slug ("": by its title).
func (c Change) Draft(slug string) Draft {
	var a Article
	c.put(&a)
	return Draft{Slug: slug, Title: a.Title, Summary: a.Summary, Topics: a.Topics, Status: a.Status, PublishedAt: a.PublishedAt,
		Format: a.Format, Body: a.Body, Author: a.Author, Reviewer: a.Reviewer, LastReviewed: a.LastReviewed}
}

// put sets what is not nil.
func (c Change) put(a *Article) {
	set(&a.Title, c.Title)
	set(&a.Summary, c.Summary)
	set(&a.Body, c.Body)
	set(&a.Author, c.Author)
	set(&a.Reviewer, c.Reviewer)
	set(&a.Format, c.Format)
	set(&a.Status, c.Status)
	set(&a.Topics, c.Topics)
	set(&a.PublishedAt, c.PublishedAt)
	set(&a.LastReviewed, c.LastReviewed)
}

// settle checks the fields, renders the body and fills in the defaults.
func (a *Article) settle(now time.Time) error {
	if err := a.check(); err != nil {
		return err
	}
	r, err := render(a.Format, a.Title, a.Body)
	if err != nil {
		return err
	}
	if r.text == "" {
		return fault.Field(fault.Invalid, "body", "The body has no text.")
	}
	a.HTML, a.Text = r.html, r.text
	if len(a.Body)+len(a.HTML)+len(a.Text) > MaxStored {
		return fault.Field(fault.TooLarge, "body", "The article with its renderings is larger than %d KB. Split it into parts.", MaxStored/1024)
	}
	if a.Summary == "" {
		a.Summary = shorten(r.lead, MaxSummary)
	}
	if a.PublishedAt.IsZero() {
		a.PublishedAt = r.date
	}
	if a.PublishedAt.IsZero() && a.Status == StatusPublished {
		a.PublishedAt = now
	}
	a.PublishedAt, a.LastReviewed, a.UpdatedAt = seconds(a.PublishedAt), seconds(a.LastReviewed), seconds(now)
	return nil
}

func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// shorten cuts prose to at most n characters, after a sentence where one ends in the second half, else after a word.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	cut := string(r[:n-1])
	for _, end := range []string{". ", "? ", "! "} {
		if i := strings.LastIndex(cut, end); i > len(cut)/2 {
			return cut[:i+1]
		}
	}
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,;:") + "…"
}
