package article

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// ValidSlug reports whether s can name an article.
func ValidSlug(s string) bool { return len(s) <= MaxSlug && slugForm.MatchString(s) }

// Slug makes an article's name in URLs from its title: ASCII, at most MaxSlug bytes. A title in a script that has no
// ASCII base letters gets a name from its hash, the same every time.
func Slug(title string) string {
	s := cutSlug(slugify(title), MaxSlug)
	if s == "" {
		sum := sha256.Sum256([]byte(title))
		s = "article-" + hex.EncodeToString(sum[:4])
	}
	return s
}

// NthSlug returns the n-th candidate for a slug that is taken: slug, slug-2, slug-3 …, never longer than MaxSlug.
func NthSlug(slug string, n int) string {
	if n <= 1 {
		return slug
	}
	suffix := fmt.Sprintf("-%d", n)
	return cutSlug(slug, MaxSlug-len(suffix)) + suffix
}

// letters have no decomposition into an ASCII letter and a mark.
var letters = strings.NewReplacer("ß", "ss", "ẞ", "ss", "æ", "ae", "Æ", "ae", "œ", "oe", "Œ", "oe", "ø", "o", "Ø", "o", "ł", "l", "Ł", "l",
	"đ", "d", "Đ", "d", "ð", "d", "Ð", "d", "þ", "th", "Þ", "th", "ı", "i", "&", " and ", "@", " at ")

// slugify keeps ASCII letters and digits, in lower case, and turns what lies between words into single hyphens.
func slugify(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(letters.Replace(s)) {
		r = unicode.ToLower(r)
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == '‘':
			// a mark belongs to its letter, an apostrophe to its word
		default:
			gap = true
		}
	}
	return b.String()
}

// cutSlug shortens a slug to n bytes, between words where it can.
func cutSlug(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if i := strings.LastIndexByte(s[:n+1], '-'); i > n/2 {
		return s[:i]
	}
	return strings.TrimRight(s[:n], "-")
}
