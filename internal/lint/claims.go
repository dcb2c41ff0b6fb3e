package lint

import (
	"regexp"
	"strings"
)

// negationReach is how many words before a claim a negation may stand: "not something that anybody here would call a cure".
const negationReach = 8

// clauses ends where a negation's reach ends: what follows is said anew.
var clauses = regexp.MustCompile(`[;:—–]|, (?:it|this|that|they|we|our|you|ketamine)[ ']|(?:^|[ ,])(?:but|however|because|although|though|while|and (?:it|it's|this|they|we|ketamine|you|is|are|has|will|does|can)) `)

// denied reports whether a sentence itself takes a claim back.
func (l *Linter) denied(s sentence, from, to int) bool {
	before := blank(s.lower[:from], l.words["affirmations"])
	for _, m := range clauses.FindAllStringIndex(before, -1) {
		if head := strings.TrimSpace(before[:m[0]]); strings.HasSuffix(head, "not") || strings.HasSuffix(head, "never") {
			continue // "what it is not: a cure"
		}
		before = strings.Repeat(" ", m[1]) + before[m[1]:]
	}
	words := strings.Fields(before)
	if l.words["negations"].in(strings.Join(words[max(len(words)-negationReach, 0):], " ")) {
		return true
	}
	after := strings.TrimLeft(s.lower[to:], " ,")
	at := l.words["denials"].find(after)
	return len(at) > 0 && at[0][0] == 0
}

// blank replaces phrases by blanks.
func blank(s string, p *phrases) string {
	for _, at := range p.find(s) {
		s = s[:at[0]] + strings.Repeat(" ", at[1]-at[0]) + s[at[1]:]
	}
	return s
}

// asks finds questions that state nothing: "Is it a cure?"
var asks = regexp.MustCompile(`^["“(]?(?:is|are|does|do|did|can|could|will|would|has|have|should) `)

// answered reports whether the sentence after a question begins with "no".
func answered(all []sentence, i int) bool {
	return i+1 < len(all) && (strings.HasPrefix(all[i+1].lower, "no") && !strings.HasPrefix(all[i+1].lower, "now") || strings.HasPrefix(all[i+1].lower, "it is not"))
}

// claims is what one sentence claims in the words of a list, without what it denies. asked is true for questions.
func (l *Linter) claims(list string, all []sentence, i int) (at [][2]int, asked bool) {
	s := all[i]
	asked = s.question && asks.MatchString(s.lower)
	if asked && answered(all, i) {
		return nil, true
	}
	for _, m := range l.words[list].among(s.tokens) {
		if !l.denied(s, m[0], m[1]) {
			at = append(at, m)
		}
	}
	return at, asked
}
