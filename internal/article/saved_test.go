package article

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/fault"
)

const prose1 = "This is a paragraph of the article itself, which is long enough to be told from a title or a label."

func TestSavedTextHeads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, title, html string }{
		"plain":            {"A Title\n\n" + prose1, "A Title", "<p>" + prose1 + "</p>"},
		"no title":         {prose1 + "\n\nMore of it.", "My file", "<p>" + prose1 + "</p>\n<p>More of it.</p>"},
		"heading first":    {"A Title\n\nIntroduction\n\n" + prose1, "A Title", "<h2>Introduction</h2>\n<p>" + prose1 + "</p>"},
		"menu first":       {"Home\nBlog\n\nA Longer Title\n\nJune 3, 2024\n\nA Longer Title\n\n" + prose1, "A Longer Title", "<p>" + prose1 + "</p>"},
		"subtitle":         {"A Longer Title\n\nWith more to say\n\nA Longer Title: With more to say\n\n" + prose1, "A Longer Title", "<p>" + prose1 + "</p>"},
		"list first":       {"A Title\n\n- one\n- two", "A Title", "<ul><li>one</li><li>two</li></ul>"},
		"title again":      {"A Title\n\n" + prose1 + "\n\nA TITLE\n\n" + prose1, "A Title", "<p>" + prose1 + "</p>\n<p>" + prose1 + "</p>"},
		"carriage returns": {"A Title\r\n\r\n" + prose1 + "\r\n", "A Title", "<p>" + prose1 + "</p>"},
		"windows-1252":     {"Caf\xe9\n\n" + prose1, "Café", "<p>" + prose1 + "</p>"},
		"byte order mark":  {"\ufeffA Title\n\n" + prose1, "A Title", "<p>" + prose1 + "</p>"},
		"utf-16":           {"\xff\xfeA\x00b\x00c\x00\n\x00\n\x00x\x00.\x00", "Abc", "<p>x.</p>"},
		"subscribe inside": {"A Title\n\n" + prose1 + "\n\nSubscribe to our newsletter\n\nGet tips in your inbox.\n\n" + prose1, "A Title", "<p>" + prose1 + "</p>\n<p>" + prose1 + "</p>"},
		"markdown in text": {"# A Title\n\nWith *marks*.", "A Title", "<p>With <em>marks</em>.</p>"},
	} {
		d, err := Import(File{Name: "my-file.txt", Data: []byte(c.text)}, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a, err := New(d, testNow)
		if err != nil || a.Title != c.title || a.HTML != c.html {
			t.Errorf("%s: %v, title %q\n%s", name, err, a.Title, cmp.Diff(c.html, a.HTML))
		}
		title := "Something else"
		if b, err := a.Apply(Change{Title: &title}, testNow); err != nil || b.HTML != a.HTML || b.Text != a.Text {
			t.Errorf("%s: another title changed the body: %v\n%s", name, err, cmp.Diff(a.HTML, b.HTML))
		}
	}
}

func TestDatesOfSavedText(t *testing.T) {
	t.Parallel()
	want := time.Date(2025, 9, 8, 0, 0, 0, 0, time.UTC)
	for _, s := range []string{
		"Sep 8, 2025", "September 8, 2025", "Sept. 8, 2025", "Sep. 8, 2025", "8 September 2025", "8th September 2025", "Monday, September 8, 2025", "2025-09-08",
		"09/08/2025", "9/8/2025", "Published: September 8th, 2025", "Posted on Sep 8, 2025", "Last updated Sep 8, 2025", "Sep 8, 2025 · 4 min read", "2025-09-08T00:00:00Z",
		"Sep 8, 2025 – Ann Writer",
	} {
		if got, ok := findDate(s); !ok || !got.Equal(want) {
			t.Errorf("findDate(%q) = %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "2025", "May", "In September 8, 2025 people", "31/31/2025", "February 30, 2025", "Sep 8, 0025"} {
		if got, ok := findDate(s); ok {
			t.Errorf("findDate(%q) = %v", s, got)
		}
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file File
		code fault.Code
	}{
		"nothing":           {File{}, fault.Unprocessable},
		"a picture":         {File{Name: "a.txt", Data: []byte("\x89PNG\r\n\x00")}, fault.Unsupported},
		"a PDF":             {File{Name: "a.html", Data: []byte("%PDF-1.7")}, fault.Unsupported},
		"too large":         {File{Name: "a.html", Data: make([]byte, MaxFile+1)}, fault.TooLarge},
		"too much text":     {File{Name: "a.txt", Data: []byte(strings.Repeat("a ", MaxBody))}, fault.TooLarge},
		"open front matter": {File{Name: "a.md", Data: []byte("---\ntitle: x\n")}, fault.Unprocessable},
		"bad front matter":  {File{Name: "a.md", Data: []byte("---\ntitle: [x\n---\nHi")}, fault.Unprocessable},
		"bad date":          {File{Name: "a.md", Data: []byte("---\ntitle: x\ndate: soon\n---\nHi")}, fault.Unprocessable},
		"an empty page":     {File{Name: "a.html", Data: []byte("<script></script>")}, fault.Unprocessable},
	} {
		if _, err := Import(c.file, whole{}); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	a, errA := Import(File{Name: "a.txt", Data: []byte("Hi\n\n" + prose1)}, nil)
	b, errB := Import(File{Name: "b.txt", Data: []byte("\xef\xbb\xbfHi\r\n\r\n" + prose1)}, nil)
	if errA != nil || errB != nil || a.Source != b.Source || !strings.HasPrefix(a.Source, "file:sha256-") {
		t.Errorf("the same file twice: %q, %q, %v, %v", a.Source, b.Source, errA, errB)
	}
}

// TestTextOfOneWord: what a page has around an article is dropped from around an article, not in its place.
func TestTextOfOneWord(t *testing.T) {
	t.Parallel()
	a, err := New(Draft{Title: "A test", Format: Text, Body: "x"}, time.Unix(0, 0))
	if err != nil || a.HTML != "<p>x</p>" {
		t.Errorf("%q, %v", a.HTML, err)
	}
}
