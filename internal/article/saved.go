package article

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// A saved is text saved from a website, understood.
type saved struct {
	title  string
	author string
	date   time.Time
	blocks []block
}

// A block is a paragraph, a heading or a list of saved text.
type block struct {
	kind  blockKind
	text  string   // of a paragraph or heading; the first line of a list
	items []string // of a list
}

type blockKind int

const (
	paragraph blockKind = iota
	heading
	bullets
	numbers
)

// parseSaved reads text as "save page as text" or copy and paste leave it: blocks apart by empty lines, no marks of
// headings or emphasis, page furniture around and between. Its rules:
//
//   - before the first prose stand the title, often several times, a subtitle, a date, a byline, a menu;
//   - a short line without closing punctuation, with prose or a list after it, is a heading;
//   - lines that start with a bullet or a number are a list, and "Some words: text" in an item has a bold lead-in;
//   - subscribe boxes, form messages, cookie banners, share rows and footers are no part of the article.
//
// With a title given, that one is taken; else the one that the text itself shows.
func parseSaved(text, title string) saved {
	blocks := splitBlocks(text)
	s := saved{title: title}
	body := s.readHead(blocks)
	s.blocks = markHeadings(dropFurniture(body, func(b block) string {
		if b.kind == paragraph {
			return b.text
		}
		return ""
	}))
	return s
}

var (
	bullet   = regexp.MustCompile(`^[•◦▪▫‣⁃●○■□*–-]\s+(\S.*)$`)
	numbered = regexp.MustCompile(`^\d{1,3}[.)]\s+(\S.*)$`)
)

// splitBlocks cuts text at empty lines, gathers lists, and joins what was wrapped.
func splitBlocks(text string) []block {
	var out []block
	var lines []string
	endBlock := func() {
		for _, p := range unwrap(lines) {
			out = append(out, block{kind: paragraph, text: p})
		}
		lines = nil
	}
	inItem := false // the last line belongs to a list item, which an indented line continues
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n", "\f", "\n\n").Replace(text)
	for raw := range strings.SplitSeq(text, "\n") {
		line := collapse(raw)
		kind, item := listItem(line)
		switch {
		case line == "":
			endBlock()
			inItem = false
		case kind != paragraph:
			endBlock()
			if n := len(out); n == 0 || out[n-1].kind != kind {
				out = append(out, block{kind: kind, text: line})
			}
			last := &out[len(out)-1]
			last.items = append(last.items, item)
			inItem = true
		case inItem && startsWithSpace(raw):
			items := out[len(out)-1].items
			items[len(items)-1] += " " + line
		default:
			inItem = false
			lines = append(lines, line)
		}
	}
	endBlock()
	return loneNumbers(out)
}

// listItem returns the kind of list that a line is an item of, and the item without its mark.
func listItem(line string) (blockKind, string) {
	if m := bullet.FindStringSubmatch(line); m != nil {
		return bullets, m[1]
	}
	if m := numbered.FindStringSubmatch(line); m != nil {
		return numbers, m[1]
	}
	return paragraph, ""
}

// loneNumbers turns numbered lists of one line into paragraphs: "1. Before you start" is a heading with its number.
func loneNumbers(blocks []block) []block {
	for i, b := range blocks {
		if b.kind == numbers && len(b.items) == 1 && strings.HasSuffix(b.text, b.items[0]) {
			blocks[i] = block{kind: paragraph, text: b.text}
		}
	}
	return blocks
}

func startsWithSpace(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(r)
}

// unwrap returns the paragraphs of a block: each line is one, unless the lines look wrapped at a column.
func unwrap(lines []string) []string {
	for i, l := range lines {
		n := utf8.RuneCountInString(l)
		if n > 100 || n < 45 && i < len(lines)-1 {
			return lines
		}
	}
	if len(lines) < 2 {
		return lines
	}
	return []string{strings.Join(lines, " ")}
}

// prose reports whether a text is running text rather than a title, a label or a menu entry.
func prose(s string) bool {
	n := utf8.RuneCountInString(s)
	return n > 140 || n >= 60 && strings.ContainsAny(s[len(s)-1:], ".!:;")
}

// markHeadings finds the headings: short lines that end without a full stop and are followed by text or a list,
// at most one more heading in between.
func markHeadings(blocks []block) []block {
	for i := range blocks {
		b := &blocks[i]
		if b.kind != paragraph || !looksLikeHeading(b.text) {
			continue
		}
		for j := i + 1; j < len(blocks) && j <= i+2; j++ {
			if next := blocks[j]; next.kind != paragraph || prose(next.text) || strings.HasSuffix(next.text, ".") {
				b.kind = heading
				break
			}
		}
	}
	return blocks
}

func looksLikeHeading(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	return utf8.RuneCountInString(s) <= 110 && !strings.ContainsRune(".,;:!…", last) &&
		(unicode.IsUpper(first) || unicode.IsDigit(first) || unicode.IsLetter(first) && !unicode.IsLower(first) || strings.ContainsRune("“\"‘¿", first))
}

var leadIn = regexp.MustCompile(`^([^\s.?!;:][^.?!;:]{0,70}):\s+(\S.*)$`)

// html writes the blocks as HTML.
func (s saved) html() []byte {
	var b bytes.Buffer
	put := func(tag, text string) {
		b.WriteString("<" + tag + ">" + html.EscapeString(text) + "</" + tag + ">\n")
	}
	for _, bl := range s.blocks {
		switch bl.kind {
		case paragraph:
			put("p", bl.text)
		case heading:
			put("h2", bl.text)
		default:
			tag := map[blockKind]string{bullets: "ul", numbers: "ol"}[bl.kind]
			b.WriteString("<" + tag + ">\n")
			for _, item := range bl.items {
				m := leadIn.FindStringSubmatch(item)
				if m == nil || len(strings.Fields(m[1])) > 8 {
					put("li", item)
					continue
				}
				b.WriteString("<li><strong>" + html.EscapeString(m[1]) + ":</strong> " + html.EscapeString(m[2]) + "</li>\n")
			}
			b.WriteString("</" + tag + ">\n")
		}
	}
	return b.Bytes()
}

// text writes the blocks as text that parseSaved reads as the same blocks.
func (s saved) text() string {
	var b strings.Builder
	for _, bl := range s.blocks {
		switch bl.kind {
		case bullets:
			for _, item := range bl.items {
				b.WriteString("• " + item + "\n")
			}
		case numbers:
			for i, item := range bl.items {
				fmt.Fprintf(&b, "%d. %s\n", i+1, item)
			}
		default:
			b.WriteString(bl.text + "\n")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
