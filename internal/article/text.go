package article

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// plainText renders clean blocks for a mail's text part: blocks apart by an empty line, headings underlined, list
// items behind "- " or their number, links as "text (url)".
func plainText(nodes []*html.Node) string {
	return strings.TrimSpace(strings.Join(textBlocks(nodes), "\n\n"))
}

// textBlocks returns the text of each block that has any. Loose inline nodes between blocks form one.
func textBlocks(nodes []*html.Node) []string {
	var out []string
	var line strings.Builder
	end := func() {
		if s := tidyLines(line.String()); s != "" {
			out = append(out, s)
		}
		line.Reset()
	}
	for _, n := range nodes {
		if n.Type == html.TextNode || inline[n.Data] != "" {
			inlineText(&line, n)
			continue
		}
		end()
		if s := blockText(n); s != "" {
			out = append(out, s)
		}
	}
	end()
	return out
}

func blockText(n *html.Node) string {
	switch n.Data {
	case "h2":
		s := lineText(n)
		return s + "\n" + strings.Repeat("-", min(len([]rune(s)), 72))
	case "ul", "ol":
		return listText(n)
	case "blockquote":
		return prefix(strings.Join(textBlocks(childrenOf(n)), "\n\n"), "> ", "> ")
	case "pre":
		return prefix(strings.Trim(textOf(n), "\n"), "    ", "    ")
	case "table":
		return tableText(n)
	case "hr":
		return "* * *"
	}
	return lineText(n)
}

// lineText renders the inline content of a block.
func lineText(n *html.Node) string {
	var b strings.Builder
	for _, c := range childrenOf(n) {
		inlineText(&b, c)
	}
	return tidyLines(b.String())
}

func inlineText(b *strings.Builder, n *html.Node) {
	if n.Type == html.TextNode {
		b.WriteString(strings.NewReplacer("\n", " ", "\t", " ").Replace(n.Data))
		return
	}
	switch n.Data {
	case "br":
		b.WriteByte('\n')
	case "img":
		if alt := attr(n, "alt"); alt != "" {
			fmt.Fprintf(b, "[Image: %s]", alt)
		}
	case "a":
		text := lineText(n)
		href := attr(n, "href")
		address := strings.TrimPrefix(strings.TrimPrefix(href, "mailto:"), "tel:")
		switch {
		case href == "" || text == href || text == address:
			b.WriteString(text)
		case text == "":
			b.WriteString(address)
		default:
			fmt.Fprintf(b, "%s (%s)", text, address)
		}
	default:
		for _, c := range childrenOf(n) {
			inlineText(b, c)
		}
	}
}

func listText(n *html.Node) string {
	number, err := strconv.Atoi(attr(n, "start"))
	if err != nil {
		number = 1
	}
	var items []string
	for _, li := range childrenOf(n) {
		if li.Data != "li" {
			continue
		}
		mark := "- "
		if n.Data == "ol" {
			mark = fmt.Sprintf("%d. ", number)
			number++
		}
		body := strings.Join(textBlocks(childrenOf(li)), "\n")
		items = append(items, prefix(body, mark, strings.Repeat(" ", len(mark))))
	}
	return strings.Join(items, "\n")
}

func tableText(n *html.Node) string {
	var rows []string
	walk(n, func(c *html.Node) bool {
		if c.Data != "tr" || c.Type != html.ElementNode {
			return true
		}
		var cells []string
		for _, d := range childrenOf(c) {
			cells = append(cells, collapse(strings.Join(textBlocks(childrenOf(d)), " ")))
		}
		rows = append(rows, strings.Join(cells, " | "))
		return false
	})
	return strings.Join(rows, "\n")
}

func childrenOf(n *html.Node) []*html.Node {
	var out []*html.Node
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = append(out, c)
	}
	return out
}

// tidyLines collapses white space within lines and drops empty lines.
func tidyLines(s string) string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = collapse(line); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// prefix puts first before the first line and rest before the others.
func prefix(s, first, rest string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		mark := rest
		if i == 0 {
			mark = first
		}
		lines[i] = strings.TrimRight(mark+l, " ")
	}
	return strings.Join(lines, "\n")
}
