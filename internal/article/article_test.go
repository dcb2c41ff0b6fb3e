package article

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/fault"
	"tidings/templates"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var testNow = time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)

// whole is an extractor that takes everything for the article, so that these tests see what the cleaning does.
type whole struct{}

func (whole) Extract(document []byte, pageURL string) (Page, error) {
	return Page{URL: pageURL, Title: "Evening Light", HTML: string(document)}, nil
}

func TestImportGoldens(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"newsletter.txt", "page.html", "notes.md"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		d, err := Import(File{Name: name, Data: data}, whole{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a, err := New(d, testNow)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := fmt.Sprintf("title: %s\nslug: %s\nsummary: %s\ntopics: %v\ndate: %s\nauthor: %s\nreviewer: %s, %s\nsource: %s\n\n%s\n\n=== text\n%s\n",
			a.Title, a.Slug, a.Summary, a.Topics, a.PublishedAt.Format(time.DateOnly), a.Author, a.Reviewer, a.LastReviewed.Format(time.DateOnly), a.Source, a.HTML, a.Text)
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if again, err := New(Draft{Title: a.Title, Format: HTML, Body: a.HTML}, testNow); err != nil || again.HTML != a.HTML || again.Text != a.Text {
			t.Errorf("%s: rendering what was rendered changes it (%v):\n%s", name, err, cmp.Diff(a.HTML, again.HTML))
		}
	}
}

// TestSamples reads the sample articles as the local stack does.
func TestSamples(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(templates.FS, "articles/*.md")
	if err != nil || len(files) < 4 {
		t.Fatalf("samples: %v, %v", files, err)
	}
	for _, file := range files {
		data, err := fs.ReadFile(templates.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Import(File{Name: file, Data: data}, nil)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		a, err := New(d, testNow)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if n := len(strings.Fields(a.Text)); n < 400 || n > 700 {
			t.Errorf("%s has %d words", file, n)
		}
		if a.PublishedAt.IsZero() || a.Summary == "" || len(a.Topics) == 0 || strings.Count(a.HTML, "<h2>") < 3 {
			t.Errorf("%s lacks something: %+v", file, a.Card())
		}
		if !strings.Contains(collapse(a.Text), "not FDA-approved for the treatment of any psychiatric disorder") || !strings.Contains(a.Text, "not medical advice") {
			t.Errorf("%s does not say what every article here has to", file)
		}
	}
}

func TestNewFillsInAndRefuses(t *testing.T) {
	t.Parallel()
	a, err := New(Draft{Title: "  Two\n lines\u202e ", Body: "First *words*.\n\nMore.", Status: StatusPublished}, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if a.Title != "Two lines" || a.Slug != "two-lines" || a.Summary != "First words." || !a.PublishedAt.Equal(testNow.Truncate(time.Second)) || a.Topics == nil || a.Rev != 1 {
		t.Errorf("made %+v", a)
	}
	good := func() Draft { return Draft{Title: "T", Body: "b"} }
	for name, c := range map[string]struct {
		edit func(*Draft)
		code fault.Code
	}{
		"no title":     {func(d *Draft) { d.Title = " \u200b" }, fault.Invalid},
		"long title":   {func(d *Draft) { d.Title = strings.Repeat("é", 201) }, fault.Invalid},
		"bytes":        {func(d *Draft) { d.Title = "a\xff" }, fault.Invalid},
		"no body":      {func(d *Draft) { d.Body = " \n" }, fault.Invalid},
		"only markup":  {func(d *Draft) { d.Body = "<style>x</style>" }, fault.Invalid},
		"format":       {func(d *Draft) { d.Format = "rtf" }, fault.Invalid},
		"status":       {func(d *Draft) { d.Status = "hidden" }, fault.Invalid},
		"slug":         {func(d *Draft) { d.Slug = "Über" }, fault.Invalid},
		"year":         {func(d *Draft) { d.PublishedAt = time.Date(1066, 1, 1, 0, 0, 0, 0, time.UTC) }, fault.Invalid},
		"many topics":  {func(d *Draft) { d.Topics = strings.Split("a b c d e f g h i j k", " ") }, fault.Invalid},
		"long topic":   {func(d *Draft) { d.Topics = []string{strings.Repeat("a", 41)} }, fault.Invalid},
		"large":        {func(d *Draft) { d.Body = strings.Repeat("a ", MaxBody) }, fault.TooLarge},
		"large as all": {func(d *Draft) { d.Body = strings.Repeat("abc def ", MaxBody/8) }, fault.TooLarge},
		"deep":         {func(d *Draft) { d.Format, d.Body = HTML, strings.Repeat("<div>", 5000)+"x" }, fault.Invalid},
	} {
		d := good()
		c.edit(&d)
		if _, err := New(d, testNow); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestSlugs(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"Is Ketamine Addictive?": "is-ketamine-addictive", "Don’t panic": "dont-panic", "Crème brûlée": "creme-brulee", "Straße & Ærø": "strasse-and-aero",
		"  --  A -- B  ": "a-b", "Łódź 2025": "lodz-2025", "ﬁne ①": "fine-1",
		strings.Repeat("word ", 30): strings.TrimSuffix(strings.Repeat("word-", 16), "-"), strings.Repeat("x", 100): strings.Repeat("x", 80),
	} {
		if got := Slug(title); got != want || !ValidSlug(got) {
			t.Errorf("Slug(%q) = %q, want %q", title, got, want)
		}
	}
	if a, b := Slug("Кетамин"), Slug("氯胺酮"); a == b || !ValidSlug(a) || !ValidSlug(b) || a != Slug("Кетамин") {
		t.Errorf("slugs of other scripts: %s, %s", a, b)
	}
	if got := NthSlug(strings.Repeat("x", 80), 12); len(got) != 80 || !strings.HasSuffix(got, "x-12") {
		t.Errorf("12th slug %s", got)
	}
}

func TestSummariesEndAtSentences(t *testing.T) {
	t.Parallel()
	s := strings.Repeat("A sentence of some length. ", 40)
	if got := shorten(s, MaxSummary); !strings.HasSuffix(got, "length.") || len(got) > MaxSummary || len(got) < MaxSummary/2 {
		t.Errorf("summary of %d: …%s", len(got), got[len(got)-20:])
	}
	if got := shorten(strings.Repeat("word, ", 200), 50); !strings.HasSuffix(got, "word…") || len([]rune(got)) > 50 {
		t.Errorf("summary %q", got)
	}
}
