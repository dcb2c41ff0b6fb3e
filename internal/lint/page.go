package lint

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A page is what rules look at in a piece of HTML.
type page struct {
	broken   bool // could not be parsed
	lang     string
	blocks   []string // visible text, a paragraph each
	hidden   string   // text that is there but not shown, such as a preheader
	links    []link
	images   []image
	loads    []load
	scripts  int
	ids      map[string]int
	sponsors bool // a link says rel="sponsored"
	pale     []pale
}

type link struct {
	href, text string
	hidden     bool
}

type image struct {
	src, alt string
	hasAlt   bool
	inLink   bool // the only content of a link
	tiny     bool // a pixel, or not shown
}

// A load is something that a mail program fetches when it shows a mail.
type load struct{ what, url string }

// text returns all visible text in one line.
func (p *page) text() string { return clean(strings.Join(p.blocks, "\n")) }

// parsePage reads a whole document, or a fragment as articles are.
func parsePage(source string, whole bool) *page {
	b := &builder{page: page{ids: map[string]int{}}, pairs: map[[2]color]bool{}}
	if whole {
		doc, err := html.Parse(strings.NewReader(source))
		if err != nil {
			b.broken = true
			return &b.page
		}
		b.children(doc, plain)
	} else {
		b.fragment(source)
	}
	b.flush()
	return &b.page
}

// A builder walks a document. Within Outlook's conditional comments it looks for what is loaded only.
type builder struct {
	page
	line    strings.Builder
	outlook bool
	pairs   map[[2]color]bool // of colours, told of
}

func (b *builder) fragment(source string) {
	nodes, err := html.ParseFragment(strings.NewReader(source), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		b.broken = true
	}
	for _, n := range nodes {
		b.node(n, look{unstyled: true})
	}
}

func (b *builder) flush() {
	if s := clean(b.line.String()); s != "" {
		b.blocks = append(b.blocks, s)
	}
	b.line.Reset()
}

func (b *builder) children(n *html.Node, k look) {
	for c := range n.ChildNodes() {
		b.node(c, k)
	}
}

func (b *builder) node(n *html.Node, k look) {
	switch n.Type {
	case html.TextNode:
		switch {
		case b.outlook:
		case k.hidden:
			b.hidden = clean(b.hidden + " " + n.Data)
		default:
			b.line.WriteString(n.Data)
			b.contrast(n.Data, k)
		}
	case html.CommentNode:
		b.comment(n.Data)
	case html.ElementNode:
		b.element(n, k.within(n))
	default:
		b.children(n, k)
	}
}

// comment looks into <!--[if mso]> … <![endif]-->, which Outlook reads as HTML.
func (b *builder) comment(data string) {
	if b.outlook || !strings.HasPrefix(strings.TrimSpace(data), "[if") {
		return
	}
	_, inside, _ := strings.Cut(data, "]>")
	inside, _, _ = strings.Cut(inside, "<![endif]")
	b.outlook = true
	b.fragment(inside)
	b.outlook = false
}

func (b *builder) element(n *html.Node, k look) {
	b.attributes(n)
	switch n.DataAtom {
	case atom.Script:
		b.scripts++
		return
	case atom.Style:
		b.css("a style", text(n))
		return
	case atom.Title, atom.Noscript:
		return
	case atom.Br:
		b.line.WriteByte('\n')
	case atom.Img:
		b.image(n)
	case atom.A, atom.Area:
		if href, ok := attr(n, "href"); ok {
			b.links = append(b.links, link{strings.TrimSpace(href), clean(text(n)), k.hidden})
		}
	}
	block := blocks[n.DataAtom]
	if block {
		b.flush()
	}
	b.children(n, k)
	if block {
		b.flush()
	}
}

var blocks = map[atom.Atom]bool{
	atom.P: true, atom.Div: true, atom.Td: true, atom.Th: true, atom.Li: true, atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true,
	atom.H5: true, atom.H6: true, atom.Tr: true, atom.Table: true, atom.Section: true, atom.Article: true, atom.Header: true, atom.Footer: true,
	atom.Ul: true, atom.Ol: true, atom.Dl: true, atom.Dt: true, atom.Dd: true, atom.Blockquote: true, atom.Pre: true, atom.Hr: true, atom.Body: true,
}

func (b *builder) image(n *html.Node) {
	src, _ := attr(n, "src")
	alt, hasAlt := attr(n, "alt")
	i := image{src: strings.TrimSpace(src), alt: clean(alt), hasAlt: hasAlt, tiny: notShown(n) || small(n, "width") || small(n, "height")}
	if p := n.Parent; p != nil && p.DataAtom == atom.A {
		i.inLink = clean(text(p)) == i.alt
	}
	b.images = append(b.images, i)
}

// text returns the text within a node, images by their alt.
func text(n *html.Node) string {
	var s strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode:
			s.WriteString(d.Data)
		case d.DataAtom == atom.Img:
			alt, _ := attr(d, "alt")
			s.WriteString(alt)
		}
	}
	return s.String()
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}
