package digest

import (
	"strings"
	"time"

	"tidings/internal/article"
)

// An Issue is a digest as the website's archive shows it: what was frozen for its readers, without anything of theirs.
type Issue struct {
	IssueCard
	Edition
	Listed bool // it is sent; before that only who holds a copy has its address
}

// An IssueCard is an issue's row in the archive.
type IssueCard struct {
	Slug      string
	Title     string
	Summary   string // the mail's preheader
	SentAt    time.Time
	UpdatedAt time.Time // when it was last sent to anyone, as far as is known
}

// An IssueList is one page of the archive, newest first. Next is empty when nothing follows.
type IssueList struct {
	Items []IssueCard
	Next  string
}

// An Edition is what a digest says below its title, as data.
type Edition struct {
	Intro    string         `json:"intro,omitempty"` // blank lines separate paragraphs
	Articles []article.Card `json:"articles"`
}

// edition makes the edition of a digest. The articles' cards are those of the moment, as in the mail.
func edition(d Digest, articles []article.Article) Edition {
	e := Edition{Intro: d.Intro, Articles: make([]article.Card, len(articles))}
	for i, a := range articles {
		e.Articles[i] = a.Card()
	}
	return e
}

// Card returns the row of a digest with a summary.
func (d Digest) Card(summary string) IssueCard {
	c := IssueCard{Slug: d.Slug, Title: d.Title, Summary: summary, SentAt: seconds(d.SendAt), UpdatedAt: seconds(d.StartedAt)}
	if !d.EndedAt.IsZero() {
		c.UpdatedAt = seconds(d.EndedAt)
	}
	return c
}

// issueSlug returns the slug that a digest should have: of its title and the month in which it goes out, which most titles of
// monthly digests name.
func issueSlug(d Digest) string {
	at := d.SendAt
	if loc, err := Zone(d.Timezone); err == nil {
		at = at.In(loc)
	}
	month := at.Format("January 2006")
	if strings.Contains(strings.ToLower(d.Title), strings.ToLower(month)) {
		return article.Slug(d.Title)
	}
	return article.Slug(d.Title + " " + month)
}
