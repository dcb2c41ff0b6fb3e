package article

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// maxHead is how many blocks may stand before the first prose: title, subtitle, date, byline, menu.
const maxHead = 25

var (
	byline  = regexp.MustCompile(`(?i)^(?:written )?by:?\s+(\p{L}[\p{L}.,’' -]{2,80})$`)
	reading = regexp.MustCompile(`(?i)^\d+\s*(?:-|–)?\s*min(?:ute)?s?(?: read)?$|^reading time:?\s*\d+.*$`)
)

// readHead takes title, date and author from what stands before the first prose, and returns the rest.
func (s *saved) readHead(blocks []block) []block {
	n := 0
	for n < len(blocks) && n < maxHead && blocks[n].kind == paragraph && !prose(blocks[n].text) {
		n++
	}
	head, rest := make([]string, 0, n), blocks[n:]
	for _, b := range blocks[:n] {
		if date, ok := findDate(b.text); ok {
			if s.date.IsZero() {
				s.date = date
			}
			continue
		}
		if m := byline.FindStringSubmatch(b.text); m != nil {
			if s.author == "" {
				s.author = strings.TrimSpace(m[1])
			}
			continue
		}
		if !reading.MatchString(b.text) && !isFurniture(b.text) && !menu.MatchString(b.text) {
			head = append(head, b.text)
		}
	}
	if s.title == "" {
		s.title = headTitle(head)
	}
	var kept []block
	for _, t := range headRemains(head, s.title) {
		kept = append(kept, block{kind: paragraph, text: t})
	}
	return dropRepeats(append(kept, rest...), s.title)
}

// headTitle chooses the title: the first line that comes again, alone or as the start of another line, else the first.
func headTitle(head []string) string {
	for i, t := range head {
		for _, u := range head[i+1:] {
			if strings.HasPrefix(fold(u), fold(t)) && utf8.RuneCountInString(t) >= 8 {
				return t
			}
		}
	}
	if len(head) > 0 && utf8.RuneCountInString(head[0]) <= MaxTitle {
		return head[0]
	}
	return ""
}

// headRemains returns the lines of the head that are part of the article. Where the title was shown more than once,
// all up to its last showing is the page's header: its menu, and a subtitle.
func headRemains(head []string, title string) []string {
	want := fold(title)
	last := -1
	for i, t := range head {
		if f := fold(t); want != "" && strings.HasPrefix(f, want) && (f == want || joined(f[len(want):], head)) {
			last = i
		}
	}
	return head[last+1:]
}

// joined reports whether what follows the title in a line is another line of the head: a subtitle.
func joined(rest string, head []string) bool {
	rest = strings.TrimLeft(rest, " -:|")
	for _, t := range head {
		if fold(t) == rest {
			return true
		}
	}
	return false
}

// dropRepeats removes later lines that only repeat the title.
func dropRepeats(blocks []block, title string) []block {
	want := fold(title)
	out := blocks[:0]
	for _, b := range blocks {
		if b.kind != paragraph || want == "" || fold(b.text) != want {
			out = append(out, b)
		}
	}
	return out
}

var (
	dateLabel = regexp.MustCompile(`(?i)^(?:published|posted|updated|last updated|last modified|date)(?: on)?:?\s+`)
	dateTail  = regexp.MustCompile(`\s*[·|•–—-]\s*[^·|•]{1,60}$`)
	ordinal   = regexp.MustCompile(`(\d)(?:st|nd|rd|th)\b`)
)

var dateForms = []string{
	"January 2, 2006", "Jan 2, 2006", "Jan. 2, 2006", "January 2 2006", "Jan 2 2006", "2 January 2006", "2 Jan 2006",
	"Monday, January 2, 2006", "Mon, Jan 2, 2006", "Monday, 2 January 2006", "Mon, 2 Jan 2006",
	"2006-01-02", "2006/01/02", "01/02/2006", "1/2/2006", time.RFC3339, "2006-01-02T15:04:05", "January 2, 2006 3:04 PM", "January 2, 2006 at 3:04 PM",
}

// findDate reads a line that is nothing but a date, with a label before it or a reading time or author after it. A date of
// digits with slashes is read as in the United States.
func findDate(line string) (time.Time, bool) {
	s := ordinal.ReplaceAllString(dateLabel.ReplaceAllString(collapse(line), ""), "$1")
	s = strings.Replace(s, "Sept ", "Sep ", 1)
	s = strings.Replace(s, "Sept. ", "Sep ", 1)
	for _, t := range []string{s, dateTail.ReplaceAllString(s, "")} {
		for _, form := range dateForms {
			if d, err := time.Parse(form, t); err == nil && d.Year() >= 1900 && d.Year() < 2200 {
				return d.UTC(), true
			}
		}
	}
	return time.Time{}, false
}
