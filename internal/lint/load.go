package lint

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml"

	"tidings/internal/digest"
)

// A Rule is one thing that a digest must have or must not have.
type Rule struct {
	ID       string `yaml:"id"`
	Severity string `yaml:"severity"` // the most that it can say: digest.SeverityError or SeverityWarning
	Reason   string `yaml:"reason"`   // a sentence for editors
	Source   string `yaml:"source"`   // law, standard or guidance
}

// groups are the word lists that rules ask for.
var groups = []string{
	"negations", "affirmations", "denials", "promises", "strong", "approvals", "ours", "exempt", "anesthesia", "psychiatric",
	"benefits", "risks", "sources", "testimonials", "unsupervised", "first_person", "ketamine", "fda_warning", "intoxication", "ambiguous", "sober", "leave", "sponsored", "urgency", "vague",
}

func (l *Linter) load(fsys fs.FS) error {
	if err := read(fsys, "rules", &l.rules); err != nil {
		return err
	}
	for _, r := range l.rules {
		if r.ID == "" || r.Reason == "" || r.Source == "" || r.Severity != digest.SeverityError && r.Severity != digest.SeverityWarning {
			return fmt.Errorf("rule %q is incomplete", r.ID)
		}
	}
	var words, hosts map[string][]string
	if err := read(fsys, "words", &words); err != nil {
		return err
	}
	l.words = make(map[string]*phrases, len(groups))
	for _, name := range groups {
		if len(words[name]) == 0 {
			return fmt.Errorf("words.yaml has no list %q", name)
		}
		var err error
		if l.words[name], err = compile(words[name]); err != nil {
			return fmt.Errorf("words.yaml, list %q: %w", name, err)
		}
	}
	if err := read(fsys, "links", &hosts); err != nil {
		return err
	}
	l.hosts, l.query = set(hosts["shorteners"]), set(hosts["tracking"])
	return nil
}

func read(fsys fs.FS, name string, into any) error {
	data, err := fs.ReadFile(fsys, "lint/"+name+".yaml")
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s.yaml: %w", name, err)
	}
	return nil
}

func set(words []string) map[string]bool {
	s := make(map[string]bool, len(words))
	for _, w := range words {
		s[strings.ToLower(w)] = true
	}
	return s
}
