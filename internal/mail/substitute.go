package mail

import (
	"fmt"
	"html"
	"strings"
)

// Links are the two links that are each reader's own: to leave, and to change what they get.
type Links struct{ Unsubscribe, Preferences string }

// Substitutions returns the values of one reader's copy of a digest. SES escapes nothing, hence a raw value for the
// text part and an escaped one for HTML of each:
//
//   - greeting, greeting_html: "Hello Ana," or, for those who gave no name, "Hello,"; the digest's templates use these
//   - name, name_html: the name alone, may be empty
//   - unsubscribe_url, preferences_url: the reader's own links, made of URL-safe characters only and so the same in both parts
//   - lbrace: "{{", for braces that an editor wrote
func Substitutions(name string, links Links) map[string]string {
	name = oneLine(name)
	greeting := "Hello,"
	if name != "" {
		greeting = "Hello " + name + ","
	}
	return map[string]string{
		"greeting": greeting, "greeting_html": html.EscapeString(greeting),
		"name": name, "name_html": html.EscapeString(name),
		"unsubscribe_url": links.Unsubscribe, "preferences_url": links.Preferences,
		"lbrace": "{{",
	}
}

// Render substitutes as SES does: each {{key}} once, without escaping; values are not read again. A key without a value
// and an unclosed "{{" are errors, where SES would drop the mail (Rendering Failure).
func Render(c Content, subs map[string]string) (Content, error) {
	var err error
	for _, part := range []struct {
		name string
		s    *string
	}{{"subject", &c.Subject}, {"html", &c.HTML}, {"text", &c.Text}} {
		if *part.s, err = substitute(*part.s, subs); err != nil {
			return Content{}, fmt.Errorf("render %s: %w", part.name, err)
		}
	}
	return c, nil
}

func substitute(s string, subs map[string]string) (string, error) {
	var b strings.Builder
	b.Grow(len(s) + 256)
	for {
		before, rest, found := strings.Cut(s, "{{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		key, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return "", fmt.Errorf("a substitution is not closed")
		}
		value, ok := subs[strings.TrimSpace(key)]
		if !ok {
			return "", fmt.Errorf("the substitution at byte %d has no value", b.Len())
		}
		b.WriteString(value)
		s = after
	}
}

// Inert are the links of test mails: they belong to nobody, so that a test which is passed around cannot take its first
// reader off the list.
func (s Site) Inert() Links {
	base := strings.TrimRight(s.BaseURL, "/")
	return Links{base + "/unsubscribe/test", base + "/preferences/test"}
}

// Inert renders a digest's content for a test mail: the very words that subscribers get, with the greeting for someone
// without a name and links that do nothing.
func (b *Builder) Inert(c Content) (Content, error) {
	return Render(c, Substitutions("", b.site.Inert()))
}
