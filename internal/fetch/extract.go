package fetch

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	readability "codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"

	"tidings/internal/article"
	"tidings/internal/fault"
)

// maxElements bounds the work on one page: long articles have some thousands of elements.
const maxElements = 50_000

// Extractor implements article.Extractor by go-readability, the algorithm of Firefox's reader view.
type Extractor struct{}

// Extract finds title, date, author, summary and main content. With an empty pageURL, a saved file, the page's own
// canonical address is taken when it names one.
func (Extractor) Extract(document []byte, pageURL string) (article.Page, error) {
	var err error
	if pageURL == "" {
		if document, err = toUTF8(document, ""); err != nil {
			return article.Page{}, err
		}
	}
	doc, err := html.Parse(bytes.NewReader(document))
	if err != nil {
		return article.Page{}, fault.New(fault.Unprocessable, "The page cannot be read: it is nested too deeply.")
	}
	if pageURL == "" {
		pageURL = canonical(doc)
	}
	var base *url.URL
	if pageURL != "" {
		if base, err = url.Parse(pageURL); err != nil {
			return article.Page{}, fmt.Errorf("parse page address: %w", err)
		}
	}
	p := readability.NewParser()
	p.MaxElemsToParse = maxElements
	found, err := p.ParseAndMutate(doc, base)
	if err != nil || found.Node == nil {
		return article.Page{}, fault.New(fault.Unprocessable, "No article was found on that page.")
	}
	var body strings.Builder
	if err := found.RenderHTML(&body); err != nil {
		return article.Page{}, fmt.Errorf("render page content: %w", err)
	}
	page := article.Page{URL: pageURL, Title: found.Title(), Summary: found.Excerpt(), Author: found.Byline(), HTML: body.String()}
	if at, err := found.PublishedTime(); err == nil {
		page.Published = at
	}
	return page, nil
}

// toUTF8 decodes a page by its Content-Type header, byte order mark or meta element, in the order of the HTML standard, but for
// one thing: without a header's word, what is UTF-8 from end to end is UTF-8. The standard looks at the first 1024 bytes only, which
// often hold no letter beyond ASCII, and who saves a page may change its encoding and not its meta element.
func toUTF8(document []byte, contentType string) ([]byte, error) {
	if _, params, _ := mime.ParseMediaType(contentType); params["charset"] == "" && utf8.Valid(document) && !ascii(document) {
		return bytes.TrimPrefix(document, []byte("\xef\xbb\xbf")), nil
	}
	r, err := charset.NewReader(bytes.NewReader(document), contentType)
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(fault.Unsupported, "The page's character encoding is not known.")
	}
	return io.ReadAll(r)
}

// ascii reports whether there is nothing beyond ASCII, which may also be an encoding of seven bits (ISO-2022-JP).
func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// canonical returns what the page says its own address is, "" when that is not an address on the web.
func canonical(n *html.Node) string {
	for c := range n.Descendants() {
		if c.Type != html.ElementNode || c.Data != "link" {
			continue
		}
		var rel, href string
		for _, a := range c.Attr {
			switch a.Key {
			case "rel":
				rel = a.Val
			case "href":
				href = a.Val
			}
		}
		if u, err := url.Parse(href); strings.EqualFold(rel, "canonical") && err == nil && checkURL(u) == nil && len(href) <= maxURL {
			return href
		}
	}
	return ""
}
