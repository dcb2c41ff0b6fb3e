package digest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tidings/internal/article"
	"tidings/internal/fault"
)

// Content is a rendered digest.
type Content struct {
	Subject   string `json:"subject"`
	Preheader string `json:"preheader"`
	HTML      string `json:"html"`
	Text      string `json:"text"`
}

// MaxFrozen is how many bytes of content, as JSON, an item of the table has room for (DynamoDB: 400 KB an item).
const MaxFrozen = 380 * 1024

// Frozen is the content that is sent, as it was when the digest was scheduled.
type Frozen struct {
	Content
	Articles []string `json:"articles"`
	// Topics are those of the articles: who chose others does not get the digest. Empty means everyone; an article
	// without topics is for everyone.
	Topics []string `json:"topics"`
	// Edition is the same for the website.
	Edition Edition `json:"edition"`
	Hash    string  `json:"-"` // of all of the above
}

// freeze makes the frozen form of a digest's content and its hash.
func freeze(d Digest, c Content, articles []article.Article) Frozen {
	f := Frozen{Content: c, Articles: []string{}, Topics: []string{}, Edition: edition(d, articles)}
	everyone := false
	for _, a := range articles {
		f.Articles = append(f.Articles, a.Slug)
		f.Topics = append(f.Topics, a.Topics...)
		everyone = everyone || len(a.Topics) == 0
	}
	slices.Sort(f.Topics)
	if f.Topics = slices.Compact(f.Topics); everyone {
		f.Topics = []string{}
	}
	f.Hash = f.Sum()
	return f
}

// Sum returns the SHA-256, in hex, of the content as JSON: the same words, the same sum.
func (f Frozen) Sum() string {
	sum := sha256.Sum256(encode(f))
	return hex.EncodeToString(sum[:])
}

// encode returns as JSON what holds strings and numbers only, and so can't fail.
func encode(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

// checkSize refuses content that the table has no room for. It counts the JSON that is kept, in which a "<" has six bytes.
func checkSize(v any) error {
	if n := len(encode(v)); n > MaxFrozen {
		return fault.New(fault.Unprocessable, "The digest is too large: it has %d KB, and %d KB is the most that fits.", n/1024, MaxFrozen/1024)
	}
	return nil
}

// A Finding is what the linter says of a digest.
type Finding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"` // SeverityError blocks scheduling, SeverityWarning does not
	Message  string `json:"message"`
}

// The severities.
const (
	SeverityError   = "error"
	SeverityWarning = "warning"
)

// A BlockedError says that the linter found errors. Its cause is a fault.
type BlockedError struct {
	Findings []Finding
	fault    error
}

func (e *BlockedError) Error() string { return e.fault.Error() }

// Unwrap returns the fault.
func (e *BlockedError) Unwrap() error { return e.fault }

// lint returns what the linter finds, never nil.
func (s *Service) lint(c Content, articles []article.Article) []Finding {
	if s.Linter == nil {
		return []Finding{}
	}
	return append([]Finding{}, s.Linter.Lint(c, articles)...)
}

// blocked returns a *BlockedError when one of the findings is an error.
func blocked(findings []Finding) error {
	n := 0
	for _, f := range findings {
		if f.Severity == SeverityError {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &BlockedError{findings, fault.New(fault.Unprocessable, "The check of this digest found errors. Correct them, then schedule it.")}
}

// articles reads a digest's articles. Those that are missing are named in a fault.Unprocessable.
func (s *Service) articles(ctx context.Context, slugs []string) ([]article.Article, error) {
	var found []article.Article
	var missing []string
	for _, slug := range slugs {
		a, err := s.Articles.Get(ctx, slug)
		if fault.Is(err, fault.NotFound) {
			missing = append(missing, slug)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read article %s: %w", slug, err)
		}
		found = append(found, a)
	}
	if len(missing) > 0 {
		return found, fault.Field(fault.Unprocessable, "articles", "There is no article of this name: %s.", strings.Join(missing, ", "))
	}
	return found, nil
}

// publishable refuses a digest that has no article or one that visitors can't read.
func publishable(articles []article.Article) error {
	if len(articles) == 0 {
		return fault.Field(fault.Unprocessable, "articles", "A digest needs at least one article.")
	}
	var drafts []string
	for _, a := range articles {
		if a.Status != article.StatusPublished {
			drafts = append(drafts, a.Slug)
		}
	}
	if len(drafts) > 0 {
		return fault.Field(fault.Unprocessable, "articles", "Publish these articles first, they are drafts: %s.", strings.Join(drafts, ", "))
	}
	return nil
}

// A Preview is a digest as a recipient sees it, with what the linter says.
type Preview struct {
	Content
	Findings []Finding `json:"findings"`
}

// Preview renders a draft, or shows the frozen content of any other digest, with sample values for what differs from one
// recipient to the next.
func (s *Service) Preview(ctx context.Context, id string) (Preview, error) {
	d, err := s.Digests.Get(ctx, id)
	if err != nil {
		return Preview{}, err
	}
	content, articles, err := s.content(ctx, d)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Findings: s.lint(content, articles)}
	if p.Content, err = s.Composer.Sample(content); err != nil {
		return Preview{}, fmt.Errorf("preview digest %s: %w", id, err)
	}
	return p, nil
}

// content returns what a digest says: rendered now for a draft, frozen for any other.
func (s *Service) content(ctx context.Context, d Digest) (Content, []article.Article, error) {
	if d.ContentHash != "" {
		f, err := s.Contents.Frozen(ctx, d.ID)
		if err != nil {
			return Content{}, nil, fmt.Errorf("read content of digest %s: %w", d.ID, err)
		}
		articles, err := s.articles(ctx, f.Articles)
		if err != nil && !fault.Is(err, fault.Unprocessable) { // an article that was deleted since does not change what is frozen
			return Content{}, nil, err
		}
		return f.Content, articles, nil
	}
	articles, err := s.articles(ctx, d.Articles)
	if err != nil {
		return Content{}, nil, err
	}
	content, err := s.Composer.Compose(d, articles)
	if err != nil {
		return Content{}, nil, fmt.Errorf("render digest %s: %w", d.ID, err)
	}
	return content, articles, nil
}
