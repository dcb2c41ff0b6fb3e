package mail

import (
	"fmt"
	"html"
	"strings"
)

// Substitutions returns the values of one reader's copy of a digest. SES escapes nothing, hence a raw value for the
// text part and an escaped one for HTML of each:
//
//   - greeting, greeting_html: "Hello Ana," or, for those who gave no name, "Hello,"; the digest's templates use these
//   - name, name_html: the name alone, may be empty
//   - unsubscribe_url: the reader's own link, made of URL-safe characters only and so the same in both parts
//   - lbrace: "{{", for braces that an editor wrote
func Substitutions(name, unsubscribeURL string) map[string]string {
	name = oneLine(name)
	greeting := "Hello,"
	if name != "" {
		greeting = "Hello " + name + ","
	}
	return map[string]string{
		"greeting": greeting, "greeting_html": html.EscapeString(greeting),
		"name": name, "name_html": html.EscapeString(name),
		"unsubscribe_url": unsubscribeURL,
		"lbrace":          "{{",
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

// InertURL is the unsubscribe link of test mails: it belongs to nobody, so that a test which is passed around cannot
// take its first reader off the list.
func (b *Builder) InertURL() string { return b.site.BaseURL + "/unsubscribe/test" }

// Inert renders a digest's content for a test mail: the very words that subscribers get, with the greeting for someone
// without a name and a link that does nothing.
func (b *Builder) Inert(c Content) (Content, error) {
	return Render(c, Substitutions("", b.InertURL()))
}
