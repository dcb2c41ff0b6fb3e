package lint_test

import (
	"testing"
	"unicode/utf8"

	"tidings/internal/article"
	"tidings/internal/digest"
)

// Whatever HTML and text are in a digest, the linter answers, with findings of its own rules that can be shown.
func FuzzLint(f *testing.F) {
	l := newLinter(f)
	rules := map[string]bool{}
	for _, r := range l.Rules() {
		rules[r.ID] = true
	}
	a := written(f, "Sleep", "Sleep well.")
	c := composed(f, digest.Digest{}, a)
	f.Add(c.Subject, c.HTML, c.Text, a.HTML)
	f.Add("{{", "<!--[if mso]><img src=x><![endif]--><a href=\"{{x\">", "javascript:x http://[::1", "<p>İt cures. ẞ FDA-approved ketamine")
	f.Add("Re:", "<style>@font-face{src:url(//x)}</style><img width=1>", "", "a high.")
	f.Fuzz(func(t *testing.T, subject, html, text, body string) {
		a := article.Article{Title: subject, HTML: body, Text: text, Slug: "a"}
		for _, found := range l.Lint(digest.Content{Subject: subject, Preheader: text, HTML: html, Text: text}, []article.Article{a}) {
			if !rules[found.Rule] || found.Message == "" || !utf8.ValidString(found.Message) {
				t.Fatalf("%+v", found)
			}
			if found.Severity != digest.SeverityError && found.Severity != digest.SeverityWarning {
				t.Fatalf("%+v", found)
			}
		}
	})
}
