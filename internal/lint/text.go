package lint

import (
	"strings"
	"unicode"
)

// A sentence is one sentence as it is shown and in lower case, rune by rune.
type sentence struct {
	shown    []rune
	lower    string
	tokens   []token // of lower
	question bool
}

// clean maps what fonts and browsers show alike onto one character, and drops what they do not show, so that "cu­re" with a
// soft hyphen is "cure". Whitespace becomes single blanks.
func clean(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	blank := true
	for _, r := range s {
		switch r {
		case '\u00AD', '\u200B', '\u200C', '\u200D', '\u2060', '\uFEFF':
			continue
		case '‘', '’', 'ʼ', '′':
			r = '\''
		case '‐', '‑', '‒':
			r = '-'
		}
		if unicode.IsSpace(r) {
			if !blank {
				b.WriteByte(' ')
			}
			blank = true
			continue
		}
		blank = false
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " ")
}

// sentences splits a block of text. Abbreviations ("U.S.", "e.g.", "Dr.") end none.
func sentences(block string) []sentence {
	var out []sentence
	runes := []rune(clean(block))
	start := 0
	add := func(end int) {
		if s := strings.TrimSpace(string(runes[start:end])); s != "" {
			out = append(out, newSentence(s))
		}
		start = end
	}
	for i, r := range runes {
		if r != '.' && r != '!' && r != '?' || i+1 == len(runes) {
			continue
		}
		end := i + 1
		for end < len(runes) && strings.ContainsRune(`"”')]`, runes[end]) {
			end++
		}
		if end < len(runes) && runes[end] == ' ' && !(r == '.' && (abbreviation(runes[start:i]) || end+1 < len(runes) && unicode.IsLower(runes[end+1]))) {
			add(end)
		}
	}
	add(len(runes))
	return out
}

func newSentence(s string) sentence {
	shown := []rune(s)
	lower := make([]rune, len(shown))
	for i, r := range shown {
		lower[i] = unicode.ToLower(r)
	}
	text := string(lower)
	return sentence{shown, text, tokens(text), strings.HasSuffix(strings.TrimRight(s, `"”')]`), "?")}
}

var abbreviations = set([]string{"dr", "mr", "mrs", "ms", "st", "vs", "approx", "prof"})

func abbreviation(before []rune) bool {
	i := len(before)
	for i > 0 && before[i-1] != ' ' && before[i-1] != '(' {
		i--
	}
	word := strings.ToLower(string(before[i:]))
	return len([]rune(word)) == 1 && unicode.IsLetter([]rune(word)[0]) || strings.Contains(word, ".") || abbreviations[word]
}

// clip quotes a sentence around a match, given in bytes of lower.
func (s sentence) clip(from, to int) string {
	const around = 60
	first := len([]rune(s.lower[:from]))
	last := first + len([]rune(s.lower[from:to]))
	a, b := max(first-around, 0), min(last+around, len(s.shown))
	for a > 0 && s.shown[a-1] != ' ' {
		a--
	}
	for b < len(s.shown) && s.shown[b] != ' ' {
		b++
	}
	out := strings.TrimRight(strings.TrimSpace(string(s.shown[a:b])), ".")
	if a > 0 {
		out = "… " + out
	}
	if b < len(s.shown) {
		out += " …"
	}
	return out
}

// word returns the matched words as they are shown.
func (s sentence) word(from, to int) string {
	first := len([]rune(s.lower[:from]))
	return string(s.shown[first : first+len([]rune(s.lower[from:to]))])
}

// paragraphs splits a text part at empty lines.
func paragraphs(text string) []string {
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n")
}
