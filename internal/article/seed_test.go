package article

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestSeed imports the text that was saved from a clinic's page. The text is not part of the project.
func TestSeed(t *testing.T) {
	data, err := os.ReadFile("../../../shared/seed/is-ketamine-addictive.txt")
	if err != nil {
		t.Skip("the seed is not here")
	}
	d, err := Import(File{Name: "is-ketamine-addictive.txt", Data: data}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(d, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if a.Title != "Is Ketamine Addictive?" || a.Slug != "is-ketamine-addictive" {
		t.Errorf("title %q, slug %q", a.Title, a.Slug)
	}
	if want := time.Date(2025, 9, 8, 0, 0, 0, 0, time.UTC); !a.PublishedAt.Equal(want) {
		t.Errorf("date %v, want %v", a.PublishedAt, want)
	}
	if !strings.HasPrefix(a.Summary, "Ketamine therapy has gained") {
		t.Errorf("summary %q", a.Summary)
	}
	for what, want := range map[string]int{"<h2>": 7, "<ul>": 5, "<li>": 15, "<li><strong>": 15, "</ul>": 5} {
		if got := strings.Count(a.HTML, what); got != want {
			t.Errorf("%d of %s, want %d", got, what, want)
		}
	}
	if got := len(regexp.MustCompile(`(?m)^- \S`).FindAllString(a.Text, -1)); got != 15 {
		t.Errorf("%d items in the text, want 15", got)
	}
	for _, gone := range []string{"Subscribe", "newsletter", "Receive news", "Oops", "Sep 8", "Is Ketamine Addictive", "A Guide to Safe"} {
		if strings.Contains(a.HTML, gone) || strings.Contains(a.Text, gone) {
			t.Errorf("page furniture stayed: %q", gone)
		}
	}
	again, err := New(Draft{Title: a.Title, Body: string(data), Format: Text}, testNow)
	if err != nil || again.HTML != a.HTML || !again.PublishedAt.Equal(a.PublishedAt) {
		t.Errorf("created as text differs from imported: %v", err)
	}
}
