package lint

import (
	"fmt"
	"slices"
	"strings"

	"tidings/internal/digest"
)

// maxAlike is how many findings of one rule and severity are told of one place: who has corrected so many checks again.
const maxAlike = 5

// A report collects findings.
type report struct {
	found []digest.Finding
	told  map[string]bool
	count map[string]int
	order []string // keys of count
}

func (r *report) error(rule, where, format string, args ...any) {
	r.add(digest.Finding{Rule: rule, Severity: digest.SeverityError, Message: fmt.Sprintf(format, args...)}, where)
}

func (r *report) warn(rule, where, format string, args ...any) {
	r.add(digest.Finding{Rule: rule, Severity: digest.SeverityWarning, Message: fmt.Sprintf(format, args...)}, where)
}

func (r *report) add(f digest.Finding, where string) {
	f.Message = strings.ToValidUTF8(f.Message, "�")
	if key := f.Rule + f.Severity + f.Message; r.told[key] {
		return
	} else {
		r.told[key] = true
	}
	key := strings.Join([]string{f.Rule, f.Severity, where}, "\x00")
	if r.count[key]++; r.count[key] == 1 {
		r.order = append(r.order, key)
	}
	if r.count[key] <= maxAlike {
		r.found = append(r.found, f)
	}
}

// seen reports whether something was passed to it before, for a sentence that the digest repeats.
func (r *report) seen(parts ...string) bool {
	key := strings.Join(parts, "\x00")
	was := r.told[key]
	r.told[key] = true
	return was
}

// done returns the findings, errors first, otherwise in the order of the rules' application.
func (r *report) done() []digest.Finding {
	for _, key := range r.order {
		if more := r.count[key] - maxAlike; more > 0 {
			p := strings.Split(key, "\x00")
			r.found = append(r.found, digest.Finding{Rule: p[0], Severity: p[1], Message: fmt.Sprintf("In %s are %d more like these.", p[2], more)})
		}
	}
	slices.SortStableFunc(r.found, func(a, b digest.Finding) int { return strings.Compare(a.Severity, b.Severity) })
	return r.found
}
