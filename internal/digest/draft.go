package digest

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tidings/internal/article"
	"tidings/internal/fault"
)

// Bounds of what editors write. They keep a digest's item small and its mail readable.
const (
	MaxTitle     = 200  // characters
	MaxSubject   = 200  // characters; the linter warns from 60 on
	MaxPreheader = 200  // characters
	MaxIntro     = 8000 // characters
	MaxArticles  = 30
)

// A Change is an edit of a digest; nil fields stay as they are. An emptied subject is the title again.
type Change struct {
	Title, Subject, Preheader, Intro *string
	Articles                         *[]string
}

// New makes a draft. What cannot be accepted is a fault that names the field.
func New(id string, c Change, now time.Time) (Digest, error) {
	now = seconds(now)
	d, err := Digest{ID: id, Status: Draft, Articles: []string{}, CreatedAt: now}.apply(c, now)
	if err != nil {
		return Digest{}, err
	}
	if d.Title == "" {
		return Digest{}, fault.Field(fault.Invalid, "title", "A digest needs a title.")
	}
	return d, nil
}

// apply returns the digest with the change made, as a draft of the next revision: what was frozen is not its content any
// more. The version stays, so that an alarm of the old schedule never fits a new one.
func (d Digest) apply(c Change, now time.Time) (Digest, error) {
	for _, f := range []struct {
		name  string
		field *string
		value *string
		max   int
		lines bool
	}{
		{"title", &d.Title, c.Title, MaxTitle, false},
		{"subject", &d.Subject, c.Subject, MaxSubject, false},
		{"preheader", &d.Preheader, c.Preheader, MaxPreheader, false},
		{"intro", &d.Intro, c.Intro, MaxIntro, true},
	} {
		if f.value == nil {
			continue
		}
		v, err := text(f.name, *f.value, f.max, f.lines)
		if err != nil {
			return Digest{}, err
		}
		*f.field = v
	}
	if d.Title == "" {
		return Digest{}, fault.Field(fault.Invalid, "title", "A digest needs a title.")
	}
	if c.Articles != nil {
		if err := checkSlugs(*c.Articles); err != nil {
			return Digest{}, err
		}
		d.Articles = append([]string{}, *c.Articles...)
	}
	return d.draft(now), nil
}

// draft returns the digest as a draft of the next revision.
func (d Digest) draft(now time.Time) Digest {
	d.Status, d.Reason, d.Slug, d.ContentHash, d.SendAt, d.Timezone = Draft, "", "", "", time.Time{}, ""
	d.Rev++
	d.UpdatedAt = seconds(now)
	return d
}

// text trims and checks one field. Control characters are refused; newlines are allowed where lines is set.
func text(name, s string, limit int, lines bool) (string, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if utf8.RuneCountInString(s) > limit {
		return "", fault.Field(fault.Invalid, name, "This is longer than %d characters.", limit)
	}
	for _, r := range s {
		if unicode.IsControl(r) && !(lines && (r == '\n' || r == '\t')) || r == utf8.RuneError {
			return "", fault.Field(fault.Invalid, name, "This has characters that can't be shown, or more than one line.")
		}
	}
	return s, nil
}

func checkSlugs(slugs []string) error {
	if len(slugs) > MaxArticles {
		return fault.Field(fault.Invalid, "articles", "A digest has at most %d articles.", MaxArticles)
	}
	for i, slug := range slugs {
		if !article.ValidSlug(slug) {
			return fault.Field(fault.Invalid, "articles", "Name articles by their slugs.")
		}
		if slices.Contains(slugs[:i], slug) {
			return fault.Field(fault.Invalid, "articles", "An article is named twice: %s.", slug)
		}
	}
	return nil
}

func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
