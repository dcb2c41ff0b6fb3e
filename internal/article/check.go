package article

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"tidings/internal/fault"
)

// check normalises the fields that people type and refuses what breaks a bound.
func (a *Article) check() error {
	var err error
	if a.Title, err = oneLine("title", a.Title, MaxTitle); err != nil {
		return err
	}
	if a.Title == "" {
		return fault.Field(fault.Invalid, "title", "An article needs a title.")
	}
	if a.Summary, err = oneLine("summary", a.Summary, MaxSummary); err != nil {
		return err
	}
	if a.Author, err = oneLine("author", a.Author, maxPerson); err != nil {
		return err
	}
	if a.Reviewer, err = oneLine("reviewer", a.Reviewer, maxPerson); err != nil {
		return err
	}
	if a.Topics, err = NormalTopics(a.Topics); err != nil {
		return err
	}
	switch {
	case !ValidSlug(a.Slug):
		return fault.Field(fault.Invalid, "slug", "A slug is at most %d lower-case letters, digits and single hyphens.", MaxSlug)
	case a.Status != StatusDraft && a.Status != StatusPublished:
		return fault.Field(fault.Invalid, "status", "The status is either draft or published.")
	case a.Format != Markdown && a.Format != HTML && a.Format != Text:
		return fault.Field(fault.Invalid, "format", "The format is markdown, html or text.")
	case len(a.Body) > MaxBody:
		return fault.Field(fault.TooLarge, "body", "The body is larger than %d KB.", MaxBody/1024)
	case strings.TrimSpace(a.Body) == "":
		return fault.Field(fault.Invalid, "body", "An article needs a body.")
	case !utf8.ValidString(a.Body):
		return fault.Field(fault.Invalid, "body", "The body is not valid UTF-8 text.")
	case len(a.Source) > maxSource:
		return fault.Field(fault.Invalid, "source", "The source is longer than %d characters.", maxSource)
	}
	if err := checkDate("publishedAt", a.PublishedAt); err != nil {
		return err
	}
	return checkDate("lastReviewed", a.LastReviewed)
}

// checkDate refuses years that are surely a slip; four digits also keep listings in order.
func checkDate(field string, t time.Time) error {
	if t.IsZero() || t.Year() >= 1900 && t.Year() < 2200 {
		return nil
	}
	return fault.Field(fault.Invalid, field, "The date lies outside the years 1900 to 2199.")
}

// oneLine makes a line of printable text of what was typed, or refuses it when it is longer than limit characters.
func oneLine(field, s string, limit int) (string, error) {
	if !utf8.ValidString(s) {
		return "", fault.Field(fault.Invalid, field, "The text is not valid UTF-8.")
	}
	s = collapse(norm.NFC.String(s))
	if utf8.RuneCountInString(s) > limit {
		return "", fault.Field(fault.Invalid, field, "The text is longer than %d characters.", limit)
	}
	return s, nil
}

// collapse joins words by single spaces and drops what is not visible.
func collapse(s string) string { return strings.Join(strings.Fields(strings.Map(visible, s)), " ") }

// visible drops control characters, byte order marks and the marks that reorder or hide text, all of which saved
// pages carry; white space stays.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\u00a0' || r == '\u202f' || r == '\u2007':
		return ' '
	case unicode.IsControl(r), r == '\u200b', r == '\u2060', r == '\ufeff', r == '\u00ad', r == utf8.RuneError,
		r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return -1
	}
	return r
}

// ValidTopic reports whether s is a topic in its normal form.
func ValidTopic(s string) bool { return len(s) <= maxTopic && slugForm.MatchString(s) }

// NormalTopics returns topics as slugs, without repetitions, in the order given; never nil. Subscribers' topics go
// through it too, so that both sides compare equal.
func NormalTopics(topics []string) ([]string, error) {
	out := make([]string, 0, min(len(topics), MaxTopics))
	seen := map[string]bool{}
	for _, t := range topics {
		s := slugify(t)
		switch {
		case s == "" && collapse(t) == "":
			continue
		case s == "" || len(s) > maxTopic:
			return nil, fault.Field(fault.Invalid, "topics", "A topic is a word or a few, at most %d letters.", maxTopic)
		case seen[s]:
			continue
		case len(out) == MaxTopics:
			return nil, fault.Field(fault.Invalid, "topics", "An article has at most %d topics.", MaxTopics)
		}
		seen[s] = true
		out = append(out, s)
	}
	return out, nil
}
