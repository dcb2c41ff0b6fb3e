package article

import (
	"bytes"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"tidings/internal/fault"
)

// A rendering is what a body becomes.
type rendering struct {
	html, text string
	lead       string    // the first paragraph
	date       time.Time // found in saved text, else zero
}

// markdown passes raw HTML on, since the sanitiser, which comes after it, is what decides.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
	goldmark.WithRendererOptions(gmhtml.WithUnsafe()),
)

// render turns a body into sanitised HTML and text. All formats end in the same tree, so that headings, lists and
// links look alike whatever they came from.
func render(f Format, title, body string) (rendering, error) {
	var source []byte
	var date time.Time
	switch f {
	case Markdown:
		var b bytes.Buffer
		if err := markdown.Convert([]byte(body), &b); err != nil {
			return rendering{}, fault.Field(fault.Invalid, "body", "The Markdown cannot be rendered.")
		}
		source = b.Bytes()
	case HTML:
		source = []byte(body)
	case Text:
		s := parseSaved(body, title)
		if len(s.blocks) == 0 { // an editor's body of one word is that word, even if a page could have it around an article
			s.blocks = splitBlocks(body)
		}
		source, date = s.html(), s.date
	}
	blocks, err := readBlocks(source)
	if err != nil {
		return rendering{}, err
	}
	r, err := finish(dropTitle(blocks, title))
	r.date = date
	return r, err
}

// finish renders blocks, lets the sanitiser have the last word, and takes the text from what it left.
func finish(blocks []*html.Node) (rendering, error) {
	levelHeadings(blocks)
	var b bytes.Buffer
	for _, n := range blocks {
		if err := html.Render(&b, n); err != nil {
			return rendering{}, fault.Field(fault.Invalid, "body", "The body cannot be rendered.")
		}
		b.WriteByte('\n')
	}
	clean := string(bytes.TrimSpace(policy.SanitizeBytes(b.Bytes())))
	final, err := parseFragment([]byte(clean))
	if err != nil {
		return rendering{}, err
	}
	return rendering{html: clean, text: plainText(final), lead: firstParagraph(final)}, nil
}

// firstParagraph returns the text of the first paragraph that is not inside a list, a quotation or a table.
func firstParagraph(nodes []*html.Node) string {
	for _, n := range nodes {
		if n.Data == "p" {
			if t := collapse(textOf(n)); t != "" {
				return t
			}
		}
	}
	for _, n := range nodes {
		if t := collapse(textOf(n)); t != "" {
			return t
		}
	}
	return ""
}
