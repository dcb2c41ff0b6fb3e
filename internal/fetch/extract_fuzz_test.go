package fetch

import (
	"testing"
	"unicode/utf8"

	"tidings/internal/article"
	"tidings/internal/fault"
)

// FuzzImportHTML imports any bytes as a saved page: whatever they are, the answer is a draft or a fault.
func FuzzImportHTML(f *testing.F) {
	f.Add([]byte(pageHTML("Mornings")))
	f.Add([]byte("<html><head><link rel=canonical href='http://[::1'></head><p>x"))
	f.Add([]byte(`<script type="application/ld+json">{"@context":"https://schema.org","@type":"Article","headline":1,"datePublished":"x"}</script><p>x`))
	f.Fuzz(func(t *testing.T, document []byte) {
		d, err := article.Import(article.File{Name: "a.html", Data: document}, Extractor{})
		if err != nil {
			if fault.CodeOf(err) == "" {
				t.Errorf("not a fault: %v", err)
			}
			return
		}
		if d.Title == "" || d.Source == "" || !utf8.ValidString(d.Body) {
			t.Errorf("draft %+v", d)
		}
	})
}
