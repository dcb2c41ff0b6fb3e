package article

import (
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"tidings/internal/fault"
)

// maxFront bounds front matter in bytes; real ones have a few hundred.
const maxFront = 8 * 1024

// front is the front matter that is understood. Keys of other tools are passed over.
type front struct {
	Title        string   `yaml:"title"`
	Slug         string   `yaml:"slug"`
	Summary      string   `yaml:"summary"`
	Description  string   `yaml:"description"` // as Hugo and Jekyll call a summary
	Date         string   `yaml:"date"`
	Topics       []string `yaml:"topics"`
	Tags         []string `yaml:"tags"`
	Author       string   `yaml:"author"`
	Reviewer     string   `yaml:"reviewer"`
	LastReviewed string   `yaml:"lastReviewed"`
}

var h1 = regexp.MustCompile(`(?m)^# +(\S[^\n]*?)(?: +#+)? *$`)

// importMarkdown reads Markdown, with YAML front matter between two lines of "---" where it starts with one. Without
// a title there, the first heading of level 1 is it.
func importMarkdown(text string) (Draft, error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	d := Draft{Format: Markdown, Body: text}
	if head, ok := strings.CutPrefix(text, "---\n"); ok {
		head, body, ok := strings.Cut(head, "\n---\n")
		if !ok || len(head) > maxFront {
			return Draft{}, fault.Field(fault.Unprocessable, "file", "The front matter is not closed by a line of three hyphens, or is longer than %d KB.", maxFront>>10)
		}
		var f front
		if err := yaml.Unmarshal([]byte(head), &f); err != nil {
			return Draft{}, fault.Field(fault.Unprocessable, "file", "The front matter is not valid YAML.")
		}
		if err := f.fill(&d); err != nil {
			return Draft{}, err
		}
		d.Body = strings.TrimLeft(body, "\n")
	}
	if d.Title == "" {
		if m := h1.FindStringSubmatch(d.Body); m != nil {
			d.Title = strings.NewReplacer("*", "", "`", "", "_", " ").Replace(m[1])
			d.Body = strings.TrimLeft(strings.Replace(d.Body, m[0], "", 1), "\n")
		}
	}
	return d, nil
}

func (f front) fill(d *Draft) error {
	d.Title, d.Slug, d.Summary, d.Author, d.Reviewer = f.Title, f.Slug, f.Summary, f.Author, f.Reviewer
	if d.Summary == "" {
		d.Summary = f.Description
	}
	if d.Topics = f.Topics; len(d.Topics) == 0 {
		d.Topics = f.Tags
	}
	var err error
	if d.PublishedAt, err = frontDate("date", f.Date); err != nil {
		return err
	}
	d.LastReviewed, err = frontDate("lastReviewed", f.LastReviewed)
	return err
}

func frontDate(field, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, ok := findDate(s); ok {
		return t, nil
	}
	return time.Time{}, fault.Field(fault.Unprocessable, field, "The front matter's date is not understood; write 2026-05-04.")
}
