package digest

import (
	"regexp"
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
	Summary   string    // the mail's preheader
	SentAt    time.Time // UTC
	Day       time.Time // SentAt by the calendar of the zone that the editor chose
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
	c := IssueCard{Slug: d.Slug, Title: d.Title, Summary: summary, SentAt: seconds(d.SendAt), Day: d.day(), UpdatedAt: seconds(d.StartedAt)}
	if !d.EndedAt.IsZero() {
		c.UpdatedAt = seconds(d.EndedAt)
	}
	return c
}

// day returns a scheduled digest's hour in its own zone.
func (d Digest) day() time.Time {
	loc, err := Zone(d.Timezone)
	if err != nil { // no digest of a service's
		return seconds(d.SendAt)
	}
	return d.SendAt.In(loc).Truncate(time.Second)
}

var monthName = regexp.MustCompile(`(?i)\b(january|february|march|april|may|june|july|august|september|october|november|december) \d{4}\b`)

// issueSlug returns the slug that a digest should have: of its title and the month in which it goes out, unless the title names one,
// as those of monthly drafts do.
func issueSlug(d Digest) string {
	if monthName.MatchString(d.Title) {
		return article.Slug(d.Title)
	}
	return article.Slug(d.Title + " " + d.day().Format("January 2006"))
}
