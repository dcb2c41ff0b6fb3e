package article

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"

	"tidings/internal/fault"
)

// A File is what an editor uploads.
type File struct {
	Name        string // for its ending, and as the last resort for a title
	ContentType string // as the uploader says; only "text/html" and "text/markdown" are believed
	Data        []byte // at most MaxFile
}

// A Page is the main content of a web page, not sanitised yet.
type Page struct {
	URL       string // where it was in the end, or what the page names as canonical; empty when unknown
	Title     string
	Summary   string
	Author    string
	Published time.Time
	HTML      string
}

// An Extractor finds the main content of an HTML document. Package fetch has the one in use; the interface keeps
// net/http, which the library pulls in, out of this package.
type Extractor interface {
	Extract(document []byte, pageURL string) (Page, error)
}

// Import makes a draft of a file saved from a website or written elsewhere: HTML, Markdown with or without front
// matter, or plain text. The draft's source is the page's own address where an HTML file names it, else the hash of
// the file, so that the same file imported twice is one article.
func Import(f File, x Extractor) (Draft, error) {
	if len(f.Data) > MaxFile {
		return Draft{}, fault.Field(fault.TooLarge, "file", "The file is larger than %d MB.", MaxFile>>20)
	}
	if bytes.HasPrefix(f.Data, []byte("%PDF")) || !bytes.HasPrefix(f.Data, []byte("\xff\xfe")) && !bytes.HasPrefix(f.Data, []byte("\xfe\xff")) && bytes.IndexByte(f.Data, 0) >= 0 {
		return Draft{}, fault.Field(fault.Unsupported, "file", "The file is not text. Save the page as HTML or as text.")
	}
	var d Draft
	var err error
	switch format := formatOf(f); format {
	case HTML:
		d, err = importHTML(f.Data, x)
	default:
		text := decode(f.Data)
		if len(text) > MaxBody {
			return Draft{}, fault.Field(fault.TooLarge, "file", "The text is larger than %d KB.", MaxBody>>10)
		}
		if format == Markdown {
			d, err = importMarkdown(text)
		} else {
			d = importText(text)
		}
	}
	if err != nil {
		return Draft{}, err
	}
	if d.Title == "" {
		d.Title = titleOfFile(f.Name)
	}
	if d.Title == "" {
		return Draft{}, fault.Field(fault.Unprocessable, "file", "No title was found in the file. Put it into the first line.")
	}
	d.Title = shorten(collapse(d.Title), MaxTitle)
	d.Author = shorten(collapse(d.Author), maxPerson)
	if d.Source == "" {
		// Mail programs and version control change the ends of lines and the byte order mark: that is no other article.
		data := bytes.ReplaceAll(bytes.TrimPrefix(f.Data, []byte("\xef\xbb\xbf")), []byte("\r\n"), []byte("\n"))
		sum := sha256.Sum256(data)
		d.Source = "file:sha256-" + hex.EncodeToString(sum[:])
	}
	return d, nil
}

// FromPage makes a draft of a fetched page, whose address is its source.
func FromPage(p Page) (Draft, error) {
	blocks, err := readBlocks([]byte(p.HTML))
	if err != nil {
		return Draft{}, err
	}
	blocks = dropFurniture(dropTitle(blocks, p.Title), func(n *html.Node) string {
		if n.Data == "p" || level(n) > 0 {
			return textOf(n)
		}
		return ""
	})
	r, err := finish(blocks)
	if err != nil {
		return Draft{}, err
	}
	if r.text == "" {
		return Draft{}, fault.New(fault.Unprocessable, "No article was found on that page.")
	}
	return Draft{
		Title: shorten(collapse(p.Title), MaxTitle), Summary: shorten(collapse(p.Summary), MaxSummary), Author: shorten(collapse(p.Author), maxPerson),
		PublishedAt: saneDate(p.Published), Format: HTML, Body: r.html, Source: p.URL,
	}, nil
}

func saneDate(t time.Time) time.Time {
	if checkDate("", t) != nil {
		return time.Time{}
	}
	return t
}

var (
	htmlStart = regexp.MustCompile(`(?i)^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^>]*-->\s*)*<(?:!doctype html|html|head|body|article|main|section|div|h[1-6]|p)[\s>]`)
	atx       = regexp.MustCompile(`(?m)^#{1,6} \S`)
)

// formatOf decides by the file's ending, then by what the uploader says, then by how it begins.
func formatOf(f File) Format {
	switch strings.ToLower(path.Ext(f.Name)) {
	case ".html", ".htm", ".xhtml":
		return HTML
	case ".md", ".markdown":
		return Markdown
	}
	start := bytes.TrimPrefix(f.Data[:min(len(f.Data), 4096)], []byte("\xef\xbb\xbf"))
	switch mt, _, _ := strings.Cut(f.ContentType, ";"); {
	case strings.EqualFold(mt, "text/html"), htmlStart.Match(start):
		return HTML
	case strings.EqualFold(mt, "text/markdown"), bytes.HasPrefix(start, []byte("---\n")), atx.Match(start):
		return Markdown
	}
	return Text
}

// decode makes UTF-8 of a text file: by its byte order mark, else Windows-1252 when it is not UTF-8 already.
func decode(data []byte) string {
	if r, err := charset.NewReader(bytes.NewReader(data), "text/plain"); err == nil && !utf8.Valid(data) {
		if b, err := io.ReadAll(r); err == nil {
			data = b
		}
	}
	return strings.TrimPrefix(strings.ToValidUTF8(string(data), "\ufffd"), "\ufeff")
}

func importHTML(data []byte, x Extractor) (Draft, error) {
	p, err := x.Extract(data, "")
	if err != nil {
		return Draft{}, err
	}
	return FromPage(p)
}

// importText keeps what is the article of a saved text. Its header goes for good: a title that is changed later would no
// longer be recognised in it.
func importText(text string) Draft {
	s := parseSaved(text, "")
	return Draft{Title: s.title, Author: s.author, PublishedAt: s.date, Format: Text, Body: s.text()}
}

// titleOfFile makes a title of a file's name: "is-it-safe.html" becomes "Is it safe".
func titleOfFile(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	words := strings.FieldsFunc(strings.TrimSuffix(base, path.Ext(base)), func(r rune) bool { return strings.ContainsRune("-_ .", r) })
	s := strings.Join(words, " ")
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
