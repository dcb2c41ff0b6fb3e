package article

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tidings/internal/fault"
)

// inline maps the elements that stand within a line to what they become; "" keeps their content only.
var inline = map[string]string{
	"a": "a", "strong": "strong", "b": "strong", "em": "em", "i": "em", "code": "code", "kbd": "code", "samp": "code", "tt": "code",
	"sub": "sub", "sup": "sup", "del": "del", "s": "del", "strike": "del", "br": "br", "img": "img",
	"span": "", "small": "", "abbr": "", "acronym": "", "mark": "", "u": "", "ins": "", "q": "", "cite": "", "time": "", "dfn": "", "var": "",
	"font": "", "big": "", "bdi": "", "bdo": "", "wbr": "", "data": "", "picture": "", "nobr": "", "center": "",
}

// dropped are the elements whose content is never part of an article. A form's own text goes by the furniture rules,
// since some sites wrap the whole page in a form.
var dropped = map[string]bool{
	"head": true, "title": true, "script": true, "style": true, "noscript": true, "template": true, "iframe": true, "object": true,
	"embed": true, "svg": true, "math": true, "canvas": true, "audio": true, "video": true, "map": true, "source": true, "track": true,
	"nav": true, "button": true, "input": true, "select": true, "option": true, "textarea": true, "label": true, "datalist": true,
	"dialog": true, "noframes": true, "noembed": true, "xmp": true, "plaintext": true,
}

// parseFragment parses HTML as the content of a body.
func parseFragment(source []byte) ([]*html.Node, error) {
	nodes, err := html.ParseFragment(bytes.NewReader(source), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return nil, fault.Field(fault.Invalid, "body", "The HTML cannot be read: it is nested too deeply.")
	}
	return nodes, nil
}

// readBlocks parses any HTML and rebuilds it as a flat run of clean blocks: headings, paragraphs, lists, quotations,
// tables, preformatted text. Containers dissolve, and loose text becomes paragraphs.
func readBlocks(source []byte) ([]*html.Node, error) {
	nodes, err := parseFragment(source)
	if err != nil {
		return nil, err
	}
	var f flow
	for _, n := range nodes {
		f.add(n)
	}
	return f.done(), nil
}

// A flow collects blocks and the line of inline nodes that is not a block yet.
type flow struct {
	blocks []*html.Node
	line   []*html.Node
}

func (f *flow) done() []*html.Node {
	f.endLine()
	return f.blocks
}

// endLine makes a paragraph of the inline nodes so far, unless they show nothing.
func (f *flow) endLine() {
	p := element("p", f.line...)
	f.line = nil
	if !blank(p) {
		f.blocks = append(f.blocks, p)
	}
}

func (f *flow) block(n *html.Node) {
	f.endLine()
	if n != nil && (n.Data == "hr" || !blank(n)) {
		f.blocks = append(f.blocks, n)
	}
}

// add adds one node of a parsed document.
func (f *flow) add(n *html.Node) {
	if n.Type == html.TextNode {
		f.line = append(f.line, textNode(n.Data))
		return
	}
	if n.Type != html.ElementNode || dropped[n.Data] || hidden(n) {
		return
	}
	if _, ok := inline[n.Data]; ok && !holdsBlock(n) {
		f.line = append(f.line, inlineNodes(n)...)
		return
	}
	switch n.Data {
	case "p", "figcaption", "summary", "address":
		f.endLine()
		f.children(n)
		f.endLine()
	case "h1", "h2", "h3", "h4", "h5", "h6":
		f.block(element(n.Data, inlineChildren(n)...))
	case "ul", "ol", "menu":
		f.block(list(n))
	case "blockquote":
		var q flow
		q.children(n)
		f.block(element("blockquote", q.done()...))
	case "pre":
		f.block(element("pre", textNode(strings.Map(visible, textOf(n)))))
	case "table":
		f.endLine()
		f.table(n)
	case "dt":
		f.block(element("p", element("strong", inlineChildren(n)...)))
	case "hr":
		f.block(element("hr"))
	default:
		f.endLine()
		f.children(n)
		f.endLine()
	}
}

func (f *flow) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		f.add(c)
	}
}
