package lint

import (
	"regexp"
	"strings"
	"unicode"
)

// A passage is a block of text, whole and by sentence.
type passage struct {
	lower     string
	sentences []sentence
}

// medical applies the med rules to blocks of text. A sentence that was judged in one place is not judged again.
func (l *Linter) medical(r *report, where string, blocks []string) {
	var fresh []passage
	for _, block := range blocks {
		all := sentences(block)
		isFresh := false
		for i, s := range all {
			if r.seen("sentence", s.lower) {
				continue
			}
			l.promises(r, where, all, i)
			l.approval(r, where, all, i)
			l.intoxication(r, where, all, i)
			isFresh = true
		}
		if isFresh {
			fresh = append(fresh, passage{strings.ToLower(clean(block)), all})
		}
	}
	l.balance(r, where, fresh, strings.ToLower(clean(strings.Join(blocks, "\n"))))
}

func (l *Linter) promises(r *report, where string, all []sentence, i int) {
	s := all[i]
	at, asked := l.claims("promises", all, i)
	for _, m := range at {
		if asked {
			r.warn("med-claims", where, "In %s a question raises a hope with “%s”: “%s”. Answer it at once, or ask differently.", where, s.word(m[0], m[1]), s.clip(m[0], m[1]))
			continue
		}
		r.error("med-claims", where, "In %s “%s” promises what no treatment can keep: “%s”. Say what was found, in how many people, and for how long.",
			where, s.word(m[0], m[1]), s.clip(m[0], m[1]))
	}
	at, _ = l.claims("strong", all, i)
	for _, m := range at {
		r.warn("med-claims", where, "In %s “%s” is a strong claim: “%s”. Keep it only if trials bear it out, and say which.", where, s.word(m[0], m[1]), s.clip(m[0], m[1]))
	}
}

// approval finds claims of FDA approval whose subject is ketamine or what the clinic gives.
func (l *Linter) approval(r *report, where string, all []sentence, i int) {
	s := all[i]
	at, asked := l.claims("approvals", all, i)
	for _, m := range at {
		if !l.aboutKetamine(all, i, m) {
			continue
		}
		anesthetic := l.words["anesthesia"].in(s.lower) && !l.words["psychiatric"].in(s.lower)
		if anesthetic || asked {
			r.warn("med-approved", where, "In %s readers may take this for an approval of the treatment: “%s”. Ketamine is approved as an anesthetic only.", where, s.clip(m[0], m[1]))
			continue
		}
		r.error("med-approved", where, "In %s ketamine is called “%s”: “%s”. It is not, for any psychiatric disorder; only esketamine (Spravato) is.",
			where, s.word(m[0], m[1]), s.clip(m[0], m[1]))
	}
}

// aboutKetamine tells what a claim of approval is about: the last medicine named before it, else the first one behind it,
// in its own sentence or else in its neighbours.
func (l *Linter) aboutKetamine(all []sentence, i int, m [2]int) bool {
	s := all[i].lower
	for _, text := range []string{s[:m[0]], reverse(l, s[m[1]:])} {
		if ours, exempt := l.words["ours"].last(text), l.words["exempt"].last(text); ours >= 0 || exempt >= 0 {
			return ours > exempt
		}
	}
	for _, j := range []int{i - 1, i + 1} {
		if j < 0 || j >= len(all) {
			continue
		}
		if ours, exempt := l.words["ours"].last(all[j].lower), l.words["exempt"].last(all[j].lower); ours >= 0 || exempt >= 0 {
			return ours > exempt
		}
	}
	return false
}

// reverse cuts a text behind the first medicine that it names, so that this is its last one.
func reverse(l *Linter, text string) string {
	end := len(text)
	for _, list := range []string{"ours", "exempt"} {
		if at := l.words[list].find(text); len(at) > 0 {
			end = min(end, at[0][1])
		}
	}
	return text[:end]
}

// nouns are the words behind "a high" that show it to be a noun: behind an adjective stands what it describes.
var nouns = set([]string{"", "that", "you", "without", "and", "like", "but", "when", "from", "or", "with", "here", "on", "together", "today"})

func (l *Linter) intoxication(r *report, where string, all []sentence, i int) {
	s := all[i]
	if l.words["sober"].in(s.lower) {
		return
	}
	at, _ := l.claims("intoxication", all, i)
	for _, m := range at {
		rest := strings.TrimLeft(s.lower[m[1]:], " ")
		if strings.HasSuffix(s.lower[m[0]:m[1]], "high") && !nouns[rest[:wordEnd(rest)]] {
			continue
		}
		r.error("med-balance", where, "In %s “%s” advertises intoxication: “%s”. Write about the treatment, not about a state to enjoy.",
			where, s.word(m[0], m[1]), s.clip(m[0], m[1]))
	}
	if len(at) > 0 {
		return
	}
	at, _ = l.claims("ambiguous", all, i)
	for _, m := range at {
		r.warn("med-balance", where, "In %s “%s” may sound like an advertisement for intoxication: “%s”.", where, s.word(m[0], m[1]), s.clip(m[0], m[1]))
	}
}

func wordEnd(s string) int {
	if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }); i >= 0 {
		return i
	}
	return len(s)
}

// quoted finds what somebody says of themselves.
var quoted = regexp.MustCompile(`(?i)[“"][^”"]{12,600}[”"]`)

// balance warns of benefits without risks beside them, of testimonials, and of use at home without the FDA's warning. It
// tells of the first of each only: they are remarks on a whole text.
func (l *Linter) balance(r *report, where string, blocks []passage, whole string) {
	about := func(i int, list string) bool { return i >= 0 && i < len(blocks) && l.words[list].in(blocks[i].lower) }
	for i, b := range blocks {
		s, m, ok := l.first("benefits", b.sentences)
		if ok && !about(i-1, "risks") && !about(i, "risks") && !about(i+1, "risks") && !about(i, "sources") {
			r.warn("med-balance", where, "In %s a benefit stands without a risk or a source near it: “%s”.", where, s.clip(m[0], m[1]))
			break
		}
	}
	for _, b := range blocks {
		s, m, ok := l.first("testimonials", b.sentences)
		if ok {
			r.warn("med-balance", where, "In %s is a testimonial: “%s”. Readers take it for the usual result.", where, s.clip(m[0], m[1]))
			break
		}
		if q := quoted.FindString(b.lower); q != "" && l.words["first_person"].in(q) && l.words["benefits"].in(q) {
			r.warn("med-balance", where, "In %s somebody tells of their own success. Readers take a testimonial for the usual result.", where)
			break
		}
	}
	for _, b := range blocks {
		s, m, ok := l.first("unsupervised", b.sentences)
		if ok && strings.Contains(whole, "ketamine") && !l.words["fda_warning"].in(whole) {
			r.warn("med-balance", where, "In %s is compounded ketamine or use at home, without the FDA's warning: “%s”.", where, s.clip(m[0], m[1]))
			break
		}
	}
}

// first returns the first claim of a list in a block.
func (l *Linter) first(list string, all []sentence) (sentence, [2]int, bool) {
	for i := range all {
		if at, _ := l.claims(list, all, i); len(at) > 0 {
			return all[i], at[0], true
		}
	}
	return sentence{}, [2]int{}, false
}
