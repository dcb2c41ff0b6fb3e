package fetch

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"tidings/internal/article"
	"tidings/internal/fault"
)

// testPages returns the folders of the saved pages that go-readability is tested on, in the module cache: real pages, with what
// of each is its article. They are read there and not copied.
func testPages(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "codeberg.org/readeck/go-readability/v2").Output()
	if err != nil {
		t.Skipf("the module cache does not say where go-readability is: %v", err)
	}
	sources, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "test-pages", "*", "source.html"))
	if err != nil || len(sources) == 0 {
		t.Skip("go-readability's test pages are not in the module cache")
	}
	folders := make([]string, len(sources))
	for i, source := range sources {
		folders[i] = filepath.Dir(source)
	}
	return folders
}

// TestSavedPages imports every saved page as a file, and as it is when it is fetched: none takes long, at least 95 of 100 become articles with a title and with the
// first and the last sentence of what is known to be the article, and no article has anything in it that acts.
func TestSavedPages(t *testing.T) {
	t.Parallel()
	folders, whole := testPages(t), 0
	for _, folder := range folders {
		name := filepath.Base(folder)
		source, err := os.ReadFile(filepath.Join(folder, "source.html"))
		if err != nil {
			t.Fatal(err)
		}
		expected, err := os.ReadFile(filepath.Join(folder, "expected.html"))
		if err != nil {
			t.Fatal(err)
		}
		if a, err := fetched(source); err != nil && fault.CodeOf(err) == "" {
			t.Errorf("%s, fetched: not a fault: %v", name, err)
		} else if acts := active(t, a.HTML); acts != "" {
			t.Errorf("%s, fetched: the article has %s", name, acts)
		}
		a, err := imported(source)
		if err != nil {
			if fault.CodeOf(err) == "" {
				t.Errorf("%s: not a fault: %v", name, err)
			}
			t.Logf("%s: %v", name, err)
			continue
		}
		if acts := active(t, a.HTML); acts != "" {
			t.Errorf("%s: the article has %s", name, acts)
		}
		if missing := lacks(t, a, expected); missing != "" {
			t.Logf("%s: %s", name, missing)
			continue
		}
		whole++
	}
	if whole*100 < len(folders)*95 {
		t.Errorf("%d of %d pages became whole articles, want 95 of 100", whole, len(folders))
	}
	t.Logf("%d of %d pages became whole articles", whole, len(folders))
}

// imported makes an article of a saved page, as an editor's upload does.
func imported(source []byte) (article.Article, error) {
	d, err := article.Import(article.File{Name: "saved.html", Data: source}, Extractor{})
	if err != nil {
		return article.Article{}, err
	}
	return article.New(d, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
}

// fetched makes an article of a page at an address, against which its links are resolved.
func fetched(source []byte) (article.Article, error) {
	p, err := Extractor{}.Extract(source, "http://news.example.org/a/page.html")
	if err != nil {
		return article.Article{}, err
	}
	d, err := article.FromPage(p)
	if err != nil {
		return article.Article{}, err
	}
	return article.New(d, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
}

// active returns what in HTML could act: a script, a frame, a form, an event handler or a javascript: address.
func active(t *testing.T, body string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "style", "iframe", "object", "embed", "form", "input", "button", "select", "textarea", "svg", "math", "base", "link", "meta":
			return "<" + n.Data + ">"
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "data:") || strings.HasPrefix(value, "vbscript:") {
				return a.Key + "=" + a.Val
			}
		}
	}
	return ""
}

// lacks returns what an article lacks of what it should have, "" when that is nothing.
func lacks(t *testing.T, a article.Article, expected []byte) string {
	t.Helper()
	first, last := ends(t, expected)
	have := letters(textOf(t, []byte(a.HTML)))
	switch {
	case a.Title == "":
		return "no title"
	case !strings.Contains(have, letters(first)) && !strings.Contains(letters(a.Title), letters(first)):
		return "no first sentence: " + first
	case !strings.Contains(have, letters(last)):
		return "no last sentence: " + last
	}
	return ""
}

// blocks are the elements whose text is a unit of its own.
var blocks = map[string]bool{"p": true, "li": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "blockquote": true,
	"pre": true, "td": true, "th": true, "div": true, "figcaption": true, "dt": true, "dd": true, "section": true, "article": true, "br": true}

var sentenceEnd = regexp.MustCompile(`[.!?…。！？][”"’')\]]*\s`)

// ends returns the first and the last sentence of a page.
func ends(t *testing.T, page []byte) (first, last string) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var runs []string
	var run strings.Builder
	flush := func() {
		if s := strings.Join(strings.Fields(run.String()), " "); letters(s) != "" {
			runs = append(runs, s)
		}
		run.Reset()
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			run.WriteString(n.Data)
		}
		if blocks[n.Data] {
			flush()
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
		if blocks[n.Data] {
			flush()
		}
	}
	walk(doc)
	flush()
	if len(runs) == 0 {
		return "", ""
	}
	first, last = runs[0], runs[len(runs)-1]
	if at := sentenceEnd.FindStringIndex(first); at != nil {
		first = first[:at[1]]
	}
	if all := sentenceEnd.FindAllStringIndex(last, -1); len(all) > 0 {
		last = last[all[len(all)-1][1]:]
	}
	return first, last
}

func textOf(t *testing.T, page []byte) string {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}

// letters leaves the letters and digits of a text, in lower case: what is compared, whatever lies between words.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
