package audience

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// A Consent is the text that people agree to when they sign up. A text that was ever shown stays as it is: other words are
// a new version.
type Consent struct {
	Version int
	Text    string
}

// LoadConsent returns the newest consent text of fsys, whose root is the folder templates: consent/v<n>.txt of the
// highest n.
func LoadConsent(fsys fs.FS) (Consent, error) {
	files, err := fs.Glob(fsys, "consent/v*.txt")
	if err != nil {
		return Consent{}, fmt.Errorf("load consent texts: %w", err)
	}
	var c Consent
	for _, file := range files {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(path.Base(file), "v"), ".txt"))
		if err != nil || n < 1 {
			return Consent{}, fmt.Errorf("load consent texts: %s is not named by its version", file)
		}
		if n <= c.Version {
			continue
		}
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return Consent{}, fmt.Errorf("load consent texts: %w", err)
		}
		c = Consent{n, string(text)}
	}
	if c.Version == 0 {
		return Consent{}, fmt.Errorf("load consent texts: there is none")
	}
	return c, nil
}

// Agreed names a consent text for good: the version says which, the hash that it is still the same.
func (c Consent) Agreed() Agreed {
	sum := sha256.Sum256([]byte(c.Text))
	return Agreed{c.Version, hex.EncodeToString(sum[:])}
}

// Agreed is a reference to a consent text.
type Agreed struct {
	Version int    `json:"version"`
	SHA256  string `json:"sha256"` // of the text, in hex
}
