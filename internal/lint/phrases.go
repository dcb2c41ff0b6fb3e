package lint

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// phrases finds whole words and groups of them in lower-case text. It compares tokens rather than running one large regular
// expression: that takes several milliseconds to compile at a cold start, and ten times as long to search.
type phrases struct {
	first map[string][][]token // by their first word
	wild  [][]token            // those whose first word has a star
}

// A token is a word or a percent sign, with its place in the text and how it hangs on the one before it.
type token struct {
	text     string
	from, to int
	hyphen   bool // a hyphen and nothing else lies between
	near     bool // at most blanks and hyphens lie between
}

// tokens splits text. Apostrophes and dots within a word belong to it: "isn't", "u.s".
func tokens(s string) []token { return split(s, 0) }

// split also takes a star as a letter of words, for phrases.
func split(s string, star rune) []token {
	out := make([]token, 0, len(s)/6+1)
	end := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r != '%' && (star == 0 || r != star) && !wordly(r) {
			i += n
			continue
		}
		j := i + n
		for r != '%' && j < len(s) {
			next, m := utf8.DecodeRuneInString(s[j:])
			if next == '\'' || next == '.' {
				after, _ := utf8.DecodeRuneInString(s[j+m:])
				if !wordly(after) {
					break
				}
			} else if (star == 0 || next != star) && !wordly(next) {
				break
			}
			j += m
		}
		gap := s[end:i]
		out = append(out, token{s[i:j], i, j, gap == "-" && end > 0, strings.Trim(gap, " -") == ""})
		i, end = j, j
	}
	return out
}

func wordly(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// compile reads a list as words.yaml writes them.
func compile(list []string) (*phrases, error) {
	p := &phrases{first: make(map[string][][]token, len(list))}
	for i, text := range list {
		t := split(strings.ToLower(text), '*')
		switch {
		case len(t) == 0:
			return nil, fmt.Errorf("empty phrase %d", i+1)
		case strings.Contains(t[0].text, "*"):
			p.wild = append(p.wild, t)
		default:
			p.first[t[0].text] = append(p.first[t[0].text], t)
		}
	}
	return p, nil
}

// find returns the places of all phrases, as pairs of byte offsets. At one place the longest phrase wins, so that "no risk"
// is not found in "no risk of addiction".
func (p *phrases) find(lower string) [][2]int { return p.among(tokens(lower)) }

// among finds phrases in a text that is split already.
func (p *phrases) among(text []token) [][2]int {
	var out [][2]int
	for i := 0; i < len(text); i++ {
		if text[i].hyphen && i > 0 {
			continue // the second half of a word
		}
		n := 0
		for _, phrase := range p.first[text[i].text] {
			n = max(n, matches(phrase, text[i:]))
		}
		for _, phrase := range p.wild {
			n = max(n, matches(phrase, text[i:]))
		}
		if n > 0 {
			out = append(out, [2]int{text[i].from, text[i+n-1].to})
			i += n - 1
		}
	}
	return out
}

// matches returns how many tokens a phrase covers at the start of a text, 0 when it is not there.
func matches(phrase, text []token) int {
	if len(phrase) > len(text) {
		return 0
	}
	for i, t := range phrase {
		if i > 0 && t.near && !text[i].near || !like(t.text, text[i].text) {
			return 0
		}
	}
	n := len(phrase)
	if strings.HasSuffix(phrase[n-1].text, "*") {
		for n < len(text) && text[n].hyphen {
			n++
		}
	} else if n < len(text) && text[n].hyphen {
		return 0 // the first half of a word
	}
	return n
}

func like(pattern, word string) bool {
	if start, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(word, start)
	}
	if end, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(word, end)
	}
	return pattern == word
}

func (p *phrases) in(lower string) bool { return len(p.find(lower)) > 0 }

// last returns where the last phrase ends, -1 without one.
func (p *phrases) last(lower string) int {
	if all := p.find(lower); len(all) > 0 {
		return all[len(all)-1][1]
	}
	return -1
}
