package article

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// policy is all the HTML that an article can hold: structure and emphasis, links, images and tables; no styles,
// scripts, forms, frames or event handlers. URLs are absolute, since the same HTML goes out by mail.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "pre", "hr", "br",
		"strong", "em", "code", "sub", "sup", "del", "table", "thead", "tbody", "tr", "th", "td")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.AllowURLSchemes("https", "http", "mailto", "tel")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src").Matching(regexp.MustCompile(`^https?://`)).OnElements("img")
	p.AllowAttrs("alt").OnElements("img")
	number := regexp.MustCompile(`^[0-9]{1,4}$`)
	p.AllowAttrs("width", "height").Matching(number).OnElements("img")
	p.AllowAttrs("start").Matching(number).OnElements("ol")
	p.AllowAttrs("colspan", "rowspan").Matching(number).OnElements("th", "td")
	return p
}
