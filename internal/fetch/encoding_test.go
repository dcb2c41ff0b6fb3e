package fetch

import (
	"strings"
	"testing"

	"tidings/internal/article"
)

// TestEncodings saves one page in several ways: its words are the same, whatever it says of itself.
func TestEncodings(t *testing.T) {
	t.Parallel()
	const words = "Café: “slept well” – said Zoë, and again: "
	filler := strings.Repeat("<!-- nothing beyond ASCII here -->", 60) // more than the 1024 bytes that the HTML standard looks at
	page := func(meta, words string) string {
		return "<html><head><title>Nights</title>" + meta + filler + "</head><body><article><p>" + strings.Repeat(words, 20) + "</p></article></body></html>"
	}
	latin := strings.NewReplacer("é", "\xe9", "“", "\x93", "”", "\x94", "–", "\x96", "ë", "\xeb").Replace(words)
	for name, document := range map[string]string{
		"says nothing":            page("", words),
		"says UTF-8":              page(`<meta charset="utf-8">`, words),
		"with a byte order mark":  "\xef\xbb\xbf" + page("", words),
		"saved anew, meta kept":   page(`<meta charset="gbk">`, words),
		"Windows-1252, says it":   page(`<meta charset="windows-1252">`, latin),
		"Windows-1252, unsaid":    page("", latin),
		"in seven bits, entities": page("", strings.NewReplacer("é", "&eacute;", "“", "&ldquo;", "”", "&rdquo;", "–", "&ndash;", "ë", "&#235;").Replace(words)),
	} {
		d, err := article.Import(article.File{Name: "nights.html", Data: []byte(document)}, Extractor{})
		if err != nil || !strings.Contains(d.Body, words) || strings.Contains(d.Title, "\ufeff") {
			t.Errorf("%s: %v, %.200s", name, err, d.Body)
		}
	}
	// Seven bits may be an encoding of their own, and a header's word stands.
	for _, c := range []struct{ document, contentType, want string }{
		{"<meta charset=iso-2022-jp>\x1b$B%F%9%H\x1b(B", "", "テスト"},
		{"caf\xc3\xa9", "text/html; charset=windows-1252", "cafÃ©"},
		{"caf\xc3\xa9", "text/html", "café"},
		{"", "", ""},
	} {
		got, err := toUTF8([]byte(c.document), c.contentType)
		if err != nil || !strings.HasSuffix(string(got), c.want) {
			t.Errorf("%q as %q is %q, %v", c.document, c.contentType, got, err)
		}
	}
}
