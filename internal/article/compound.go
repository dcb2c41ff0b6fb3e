package article

import "golang.org/x/net/html"

// list rebuilds a list. What stands between its items joins the item before it.
func list(n *html.Node) *html.Node {
	kind := n.Data
	if kind == "menu" {
		kind = "ul"
	}
	out := element(kind)
	copyAttr(out, n, "start")
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		isItem := c.Type == html.ElementNode && c.Data == "li"
		var f flow
		if isItem {
			f.children(c)
		} else {
			f.add(c)
		}
		blocks := f.done()
		switch {
		case len(blocks) == 0:
		case !isItem && out.LastChild != nil:
			for _, b := range blocks {
				out.LastChild.AppendChild(b)
			}
		default:
			out.AppendChild(hold("li", blocks))
		}
	}
	return out
}

// hold wraps blocks in an item or a cell, which starts with its words rather than with a paragraph.
func hold(kind string, blocks []*html.Node) *html.Node {
	out := element(kind)
	if len(blocks) > 0 && blocks[0].Data == "p" {
		for c := blocks[0].FirstChild; c != nil; c = blocks[0].FirstChild {
			blocks[0].RemoveChild(c)
			out.AppendChild(c)
		}
		blocks = blocks[1:]
	}
	for _, b := range blocks {
		out.AppendChild(b)
	}
	return out
}

// table rebuilds a table of data. One that only lays out a page — a single column, or with headings or tables inside —
// dissolves into its content.
func (f *flow) table(n *html.Node) {
	rows, columns, layout := element("tbody"), 0, false
	walk(n, func(c *html.Node) bool {
		if c.Type != html.ElementNode || c == n {
			return true
		}
		switch c.Data {
		case "table", "h1", "h2", "h3", "h4", "h5", "h6":
			layout = true
		case "tr":
			row, cells := element("tr"), 0
			for d := c.FirstChild; d != nil; d = d.NextSibling {
				if d.Type == html.ElementNode && (d.Data == "td" || d.Data == "th") {
					var in flow
					in.children(d)
					cell := hold(d.Data, in.done())
					copyAttr(cell, d, "colspan", "rowspan")
					row.AppendChild(cell)
					cells++
				}
			}
			columns = max(columns, cells)
			if cells > 0 {
				rows.AppendChild(row)
			}
		}
		return !layout
	})
	if layout || columns < 2 {
		f.children(n)
		return
	}
	f.block(element("table", rows))
}
