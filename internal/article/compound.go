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
	rows, data := tableRows(n)
	if !data {
		f.children(n)
		return
	}
	body := element("tbody")
	for _, tr := range rows {
		row := element("tr")
		for _, c := range cellsOf(tr) {
			var in flow
			in.children(c)
			cell := hold(c.Data, in.done())
			copyAttr(cell, c, "colspan", "rowspan")
			row.AppendChild(cell)
		}
		body.AppendChild(row)
	}
	f.block(element("table", body))
}

// tableRows returns the rows that have cells, and whether they hold data. It looks before anything is rebuilt, so that
// tables nested in tables cost their depth once, not doubled at each level.
func tableRows(n *html.Node) (rows []*html.Node, data bool) {
	columns, layout := 0, false
	walk(n, func(c *html.Node) bool {
		switch {
		case c.Type != html.ElementNode || c == n:
		case c.Data == "table" || level(c) > 0:
			layout = true
		case c.Data == "tr":
			if cells := len(cellsOf(c)); cells > 0 {
				rows = append(rows, c)
				columns = max(columns, cells)
			}
		}
		return !layout
	})
	return rows, columns > 1 && !layout
}

func cellsOf(tr *html.Node) []*html.Node {
	var out []*html.Node
	for c := tr.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && (c.Data == "td" || c.Data == "th") {
			out = append(out, c)
		}
	}
	return out
}
