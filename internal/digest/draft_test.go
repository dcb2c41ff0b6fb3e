package digest_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"tidings/internal/digest"
	"tidings/internal/fault"
)

// Whatever an editor sends as words is a fault that names its field, or a draft of words that fit and can be shown.
func FuzzNew(f *testing.F) {
	f.Add("News", "Read this", "In brief", "Hello\r\nthere", "sleep,pain")
	f.Add(" ", "a\nBcc: x@example.org", "\x00", strings.Repeat("a", 8001), "../x")
	f.Fuzz(func(t *testing.T, title, subject, preheader, intro, slugs string) {
		list := strings.Split(slugs, ",")
		d, err := digest.New("d", digest.Change{Title: &title, Subject: &subject, Preheader: &preheader, Intro: &intro, Articles: &list}, testNow)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%v", err)
			}
			return
		}
		for name, s := range map[string]string{"title": d.Title, "subject": d.Subject, "preheader": d.Preheader, "line": d.Line()} {
			if strings.ContainsFunc(s, unicode.IsControl) || utf8.RuneCountInString(s) > digest.MaxTitle || !utf8.ValidString(s) {
				t.Errorf("%s %q", name, s)
			}
		}
		if d.Title == "" || d.Line() == "" || len(d.Articles) != len(list) || d.Status != digest.Draft || d.Rev != 1 {
			t.Errorf("%+v", d)
		}
	})
}
