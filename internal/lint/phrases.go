package lint

import (
	"fmt"
	"regexp"
	"strings"
)

// phrases finds whole words and groups of them in lower-case text.
type phrases struct{ re *regexp.Regexp }

// compile reads a list as words.yaml writes them.
func compile(list []string) (*phrases, error) {
	alternatives := make([]string, len(list))
	for i, p := range list {
		fields := strings.Fields(strings.ReplaceAll(strings.ToLower(p), "-", " "))
		if len(fields) == 0 {
			return nil, fmt.Errorf("empty phrase %d", i+1)
		}
		for j, f := range fields {
			fields[j] = strings.ReplaceAll(regexp.QuoteMeta(f), `\*`, `[\pL\pN-]*`)
		}
		alternatives[i] = strings.Join(fields, `[ -]+`)
	}
	// The longest alternative at a place wins, so that "no risk" is not found in "no risks" or "no risk of addiction".
	re, err := regexp.Compile(`(?:^|[^\pL\pN-])(` + strings.Join(alternatives, "|") + `)(?:$|[^\pL\pN-])`)
	if err != nil {
		return nil, err
	}
	re.Longest()
	return &phrases{re}, nil
}

// find returns the places of all phrases, as pairs of byte offsets.
func (p *phrases) find(lower string) [][2]int {
	var out [][2]int
	for at := 0; at < len(lower); {
		m := p.re.FindStringSubmatchIndex(lower[at:])
		if m == nil {
			break
		}
		out = append(out, [2]int{at + m[2], at + m[3]})
		at += m[3] // the character behind may be the one in front of the next
	}
	return out
}

func (p *phrases) in(lower string) bool { return p.re.MatchString(lower) }

// last returns where the last phrase ends, -1 without one.
func (p *phrases) last(lower string) int {
	if all := p.find(lower); len(all) > 0 {
		return all[len(all)-1][1]
	}
	return -1
}
