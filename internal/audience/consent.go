package audience

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Consent is the text that people agree to when they sign up. A text that was ever shown stays as it is: other words are
// a new version.
type Consent struct {
	Version int
	Text    string
}

// LoadConsents returns the consent texts of fsys, whose root is the folder templates, by their versions: consent/v<n>.txt.
func LoadConsents(fsys fs.FS) (map[int]Consent, error) {
	files, err := fs.Glob(fsys, "consent/v*.txt")
	if err != nil {
		return nil, fmt.Errorf("load consent texts: %w", err)
	}
	all := map[int]Consent{}
	for _, file := range files {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(path.Base(file), "v"), ".txt"))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("load consent texts: %s is not named by its version", file)
		}
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("load consent texts: %w", err)
		}
		all[n] = Consent{n, string(text)}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("load consent texts: there is none")
	}
	return all, nil
}

// LoadConsent returns the newest consent text of fsys.
func LoadConsent(fsys fs.FS) (Consent, error) {
	all, err := LoadConsents(fsys)
	if err != nil {
		return Consent{}, err
	}
	return all[slices.Max(slices.Collect(maps.Keys(all)))], nil
}

// Agreed names a consent text for good: the version says which, the hash that it is still the same.
func (c Consent) Agreed() Agreed {
	sum := sha256.Sum256([]byte(c.Text))
	return Agreed{Version: c.Version, SHA256: hex.EncodeToString(sum[:])}
}

// Agreed is a reference to a consent text.
type Agreed struct {
	Version int    `json:"version"`
	SHA256  string `json:"sha256"`         // of the text, in hex
	Text    string `json:"text,omitempty"` // only in an Export
}
