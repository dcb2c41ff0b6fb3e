package lint_test

import (
	"strings"
	"testing"

	"tidings/internal/article"
	"tidings/internal/digest"
	"tidings/internal/lint"
	"tidings/templates"
)

// BenchmarkNew is what the linter adds to a cold start.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := lint.New(templates.FS, site); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLint checks a digest of ten long articles.
func BenchmarkLint(b *testing.B) {
	l := newLinter(b)
	var articles []article.Article
	for _, who := range strings.Fields("Ann Bob Cem Dan Eve Fay Gus Hal Ida Joe") {
		articles = append(articles, written(b, "News of "+who, strings.Repeat(who+" says that ketamine therapy may help some people, and that it has risks. ", 250)))
	}
	c := composed(b, digest.Digest{}, articles...)
	for b.Loop() {
		l.Lint(c, articles)
	}
}
