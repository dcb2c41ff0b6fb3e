package lint_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/article"
	"tidings/internal/digest"
	"tidings/internal/lint"
	"tidings/internal/mail"
	"tidings/templates"
)

var (
	now  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	site = mail.Site{Name: "Juniper Clinic", BaseURL: "https://news.juniper.example", PostalAddress: "12 Cedar Street, Suite 4, Boulder, CO 80302, USA"}
)

// Both are made once: the tests are many, and neither changes.
var (
	theLinter  = sync.OnceValues(func() (*lint.Linter, error) { return lint.New(templates.FS, site) })
	theBuilder = sync.OnceValues(func() (*mail.Builder, error) { return mail.New(templates.FS, site) })
)

func newLinter(t testing.TB) *lint.Linter {
	t.Helper()
	l, err := theLinter()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// written makes an article of a body in Markdown.
func written(t testing.TB, title, body string) article.Article {
	t.Helper()
	a, err := article.New(article.Draft{Title: title, Summary: "A plain summary.", Body: body, Format: article.Markdown, Status: article.StatusPublished}, now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// composed renders a digest with the project's own templates.
func composed(t testing.TB, d digest.Digest, articles ...article.Article) digest.Content {
	t.Helper()
	b, err := theBuilder()
	if err != nil {
		t.Fatal(err)
	}
	if d.Title == "" {
		d.Title = "News for November"
	}
	c, err := digest.MailComposer{Builder: b, BaseURL: site.BaseURL}.Compose(d, articles)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// imported composes a digest of one imported file.
func imported(t *testing.T, name string, data []byte) (digest.Content, article.Article) {
	t.Helper()
	d, err := article.Import(article.File{Name: name, Data: data}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := article.New(d, now)
	if err != nil {
		t.Fatal(err)
	}
	return composed(t, digest.Digest{}, a), a
}

func errorsOf(found []digest.Finding) []digest.Finding {
	var out []digest.Finding
	for _, f := range found {
		if f.Severity == digest.SeverityError {
			out = append(out, f)
		}
	}
	return out
}

// has reports whether there is a finding of a rule and severity.
func has(found []digest.Finding, rule, severity string) bool {
	for _, f := range found {
		if f.Rule == rule && f.Severity == severity {
			return true
		}
	}
	return false
}

// The sample articles are what a careful clinic writes: no error, alone and together.
func TestSamples(t *testing.T) {
	t.Parallel()
	l := newLinter(t)
	entries, err := fs.ReadDir(templates.FS, "articles")
	if err != nil {
		t.Fatal(err)
	}
	var all []article.Article
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".md") {
			continue
		}
		data, err := fs.ReadFile(templates.FS, path.Join("articles", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		c, a := imported(t, e.Name(), data)
		for _, f := range l.Lint(c, []article.Article{a}) {
			t.Logf("%s: %s %s: %s", e.Name(), f.Severity, f.Rule, f.Message)
			if f.Severity == digest.SeverityError {
				t.Errorf("%s: %s: %s", e.Name(), f.Rule, f.Message)
			}
		}
		all = append(all, a)
	}
	if len(all) < 5 {
		t.Fatalf("%d samples", len(all))
	}
	if found := errorsOf(l.Lint(composed(t, digest.Digest{Intro: "Hello, {{reader}}."}, all...), all)); len(found) > 0 {
		t.Errorf("together: %+v", found)
	}
}

// A digest without any content of its own: the templates and the standard footer have nothing to object to.
func TestStandardFooter(t *testing.T) {
	t.Parallel()
	if found := newLinter(t).Lint(composed(t, digest.Digest{Preheader: "A quiet month."}), nil); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

// The seed's article is what clinics publish: full of warnings, and may go out. Its text is not part of the project.
func TestSeed(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../shared/seed/is-ketamine-addictive.txt")
	if err != nil {
		t.Skip("the seed is not here")
	}
	c, a := imported(t, "is-ketamine-addictive.txt", data)
	found := newLinter(t).Lint(c, []article.Article{a})
	medical := 0
	for _, f := range found {
		t.Logf("%s %s: %s", f.Severity, f.Rule, f.Message)
		if strings.HasPrefix(f.Rule, "med-") && f.Severity == digest.SeverityWarning {
			medical++
		}
	}
	if medical < 3 || len(errorsOf(found)) > 0 {
		t.Errorf("%d medical warnings, errors %+v", medical, errorsOf(found))
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	want := "med-disclaimer med-advice med-approved med-claims med-balance law-address law-unsubscribe link-safe link-private img-alt part-text size subject render"
	var got []string
	for _, r := range newLinter(t).Rules() {
		got = append(got, r.ID)
		if r.Reason == "" || r.Source == "" || r.Severity != digest.SeverityError && r.Severity != digest.SeverityWarning {
			t.Errorf("%+v", r)
		}
	}
	if strings.Join(got, " ") != want {
		t.Errorf("rules %v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := lint.New(templates.FS, mail.Site{BaseURL: "nowhere"}); err == nil {
		t.Error("a base URL without a host")
	}
	if _, err := lint.New(os.DirFS(t.TempDir()), site); err == nil {
		t.Error("no rules")
	}
}
