package audience

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"tidings/internal/fault"
)

// Bounds of what a sign-up says beside the address.
const (
	MaxName   = 80 // characters
	MaxTopics = 10
	maxTopic  = 40  // bytes; with MaxTopics, the bounds of an article's topics
	maxPage   = 200 // bytes
)

// ParseName tidies a name: NFC, single blanks, none around it. Any printable text is a name; what cannot be printed is not,
// nor marks that turn the direction of the text around it.
func ParseName(s string) (string, error) {
	bad := fault.Field(fault.Invalid, "name", "A name is printable text of at most %d characters.", MaxName)
	if !utf8.ValidString(s) || len(s) > 64*MaxName {
		return "", bad
	}
	s = strings.Join(strings.FieldsFunc(norm.NFC.String(s), func(r rune) bool { return unicode.Is(unicode.Zs, r) }), " ")
	if utf8.RuneCountInString(s) > MaxName || strings.ContainsFunc(s, unprintable) {
		return "", bad
	}
	return s, nil
}

// unprintable finds controls, line breaks and unassigned characters. Joiners are printed in that they shape the letters
// beside them, which names of several scripts need.
func unprintable(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return !unicode.IsGraphic(r) && r != nonJoiner && r != joiner
}

// ParseTopics checks the topics that somebody chose: slugs, as articles have them. The answer is sorted and without
// repetitions.
func ParseTopics(topics []string) ([]string, error) {
	if len(topics) > MaxTopics {
		return nil, fault.Field(fault.Invalid, "topics", "Choose at most %d topics.", MaxTopics)
	}
	out := make([]string, 0, len(topics))
	for _, t := range topics {
		t = strings.ToLower(strings.TrimSpace(t))
		if len(t) > maxTopic || !slug(t) {
			return nil, fault.Field(fault.Invalid, "topics", "A topic is written as in its address, such as chronic-pain.")
		}
		out = append(out, t)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// slug reports whether s is words of a-z and 0-9 with hyphens between.
func slug(s string) bool {
	for word := range strings.SplitSeq(s, "-") {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

// pageOf returns what is kept of the page that a form was sent from: origin and path, without the query, in which
// others put what identifies people.
func pageOf(referer string) string {
	u, err := url.Parse(referer)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	page := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	if len(page) > maxPage {
		return page[:maxPage]
	}
	return page
}
