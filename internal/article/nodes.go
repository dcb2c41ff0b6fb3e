package article

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

func element(name string, children ...*html.Node) *html.Node {
	n := &html.Node{Type: html.ElementNode, Data: name, DataAtom: atom.Lookup([]byte(name))}
	for _, c := range children {
		n.AppendChild(c)
	}
	return n
}

// textNode keeps what is visible of a text.
func textNode(s string) *html.Node {
	return &html.Node{Type: html.TextNode, Data: strings.Map(visible, s)}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

func copyAttr(to, from *html.Node, names ...string) {
	for _, name := range names {
		if v := attr(from, name); v != "" {
			to.Attr = append(to.Attr, html.Attribute{Key: name, Val: v})
		}
	}
}

// walk visits n and what is below it, in document order, and skips the children where visit returns false.
func walk(n *html.Node, visit func(*html.Node) bool) {
	if !visit(n) {
		return
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

// textOf returns the text below n; a line break counts as white space.
func textOf(n *html.Node) string {
	var b strings.Builder
	walk(n, func(c *html.Node) bool {
		switch {
		case c.Type == html.TextNode:
			b.WriteString(c.Data)
		case c.Data == "br" || c.Data == "li" || c.Data == "p" || c.Data == "td" || c.Data == "th":
			b.WriteByte('\n')
		}
		return true
	})
	return b.String()
}

// blank reports whether a block shows nothing: no text and no image.
func blank(n *html.Node) bool {
	empty := true
	walk(n, func(c *html.Node) bool {
		if c.Type == html.TextNode && collapse(c.Data) != "" || c.Type == html.ElementNode && c.Data == "img" {
			empty = false
		}
		return empty
	})
	return empty
}

// hidden reports whether a page hides the element from its readers.
func hidden(n *html.Node) bool {
	if attr(n, "aria-hidden") == "true" {
		return true
	}
	for _, a := range n.Attr {
		style := strings.ReplaceAll(strings.ToLower(a.Val), " ", "")
		if a.Key == "hidden" || a.Key == "style" && (strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden")) {
			return true
		}
	}
	return false
}

// holdsBlock reports whether an inline element wraps blocks, as a link around a card does.
func holdsBlock(n *html.Node) bool {
	found := false
	walk(n, func(c *html.Node) bool {
		if c != n && c.Type == html.ElementNode {
			if _, ok := inline[c.Data]; !ok && !dropped[c.Data] {
				found = true
			}
		}
		return !found
	})
	return found
}

// inlineNodes rebuilds an inline node; an element without meaning leaves its content.
func inlineNodes(n *html.Node) []*html.Node {
	if n.Type == html.TextNode {
		return []*html.Node{textNode(n.Data)}
	}
	if n.Type != html.ElementNode || dropped[n.Data] || hidden(n) {
		return nil
	}
	to := inline[n.Data]
	switch to {
	case "br":
		return []*html.Node{element("br")}
	case "img":
		return image(n)
	case "":
		if _, ok := inline[n.Data]; ok {
			return inlineChildren(n)
		}
		return append(append([]*html.Node{textNode(" ")}, inlineChildren(n)...), textNode(" ")) // a block inside a line
	}
	out := element(to, inlineChildren(n)...)
	if to == "a" {
		copyAttr(out, n, "href")
	}
	if blank(out) {
		return inlineChildren(n) // emphasis or a link around white space only
	}
	return []*html.Node{out}
}

func inlineChildren(n *html.Node) []*html.Node {
	var out []*html.Node
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = append(out, inlineNodes(c)...)
	}
	return out
}

// image keeps an image that a reader can see; a dot of one pixel is there to track.
func image(n *html.Node) []*html.Node {
	w, h := attr(n, "width"), attr(n, "height")
	tiny := []string{"0", "1", "0px", "1px"}
	src := attr(n, "src")
	if slices.Contains(tiny, w) || slices.Contains(tiny, h) || !strings.HasPrefix(src, "https://") && !strings.HasPrefix(src, "http://") {
		return nil
	}
	out := element("img")
	copyAttr(out, n, "src", "width", "height")
	for _, a := range n.Attr {
		if a.Key == "alt" { // an empty alt says "decoration" and stays
			out.Attr = append(out.Attr, html.Attribute{Key: "alt", Val: collapse(a.Val)})
		}
	}
	return []*html.Node{out}
}
