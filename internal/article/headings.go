package article

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// levelHeadings renumbers headings so that the body's highest is h2 (h1 is the title), none is deeper than h4, and
// none skips a level on the way down (WCAG 2.2, technique G141).
func levelHeadings(blocks []*html.Node) {
	top := 7
	for _, n := range blocks {
		if l := level(n); l > 0 {
			top = min(top, l)
		}
	}
	last := 1
	for _, n := range blocks {
		l := level(n)
		if l == 0 {
			continue
		}
		last = min(l-top+2, last+1, 4)
		n.Data = "h" + string(rune('0'+last))
		n.DataAtom = atom.Lookup([]byte(n.Data))
	}
}

// level returns 1 to 6 for a heading, 0 for anything else.
func level(n *html.Node) int {
	if n.Type == html.ElementNode && len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
		return int(n.Data[1] - '0')
	}
	return 0
}

// dropTitle removes the headings and opening paragraphs that only repeat the title, which every page shows above the
// body.
func dropTitle(blocks []*html.Node, title string) []*html.Node {
	want := fold(title)
	out := blocks[:0]
	for i, n := range blocks {
		if (level(n) > 0 || i < 4 && n.Data == "p") && fold(textOf(n)) == want {
			continue
		}
		out = append(out, n)
	}
	return out
}

// fold makes texts comparable that differ in case, white space or typographic quotes and dashes only.
func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "–", "-", "—", "-").Replace(collapse(s)))
}
