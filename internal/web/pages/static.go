package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// Static serves the folder static of fsys under /static/. A name that carries its content's hash (site.1f2e3d4c.css)
// is cached for a year; a plain name, and a hash of another version, are answered with the present content and must
// be revalidated, so that a page rendered before a deployment still finds its style after it.
func Static(fsys fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, hash := splitAsset(path.Base(r.URL.Path))
		body, err := fs.ReadFile(fsys, "static/"+name)
		if err != nil || r.URL.Path != "/static/"+path.Base(r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		now := assetHash(body)
		w.Header().Set("ETag", `"`+now+`"`)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		if hash == now {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
	})
}

// assetURL returns the path of a static file, with its content's hash in the name.
func assetURL(fsys fs.FS, name string) (string, error) {
	body, err := fs.ReadFile(fsys, "static/"+name)
	if err != nil {
		return "", fmt.Errorf("static file: %w", err)
	}
	ext := path.Ext(name)
	return "/static/" + strings.TrimSuffix(name, ext) + "." + assetHash(body) + ext, nil
}

// splitAsset undoes assetURL's naming; hash is empty for a plain name.
func splitAsset(base string) (name, hash string) {
	parts := strings.Split(base, ".")
	if len(parts) != 3 || len(parts[1]) != hashLen {
		return base, ""
	}
	return parts[0] + "." + parts[2], parts[1]
}

const hashLen = 12 // hex digits: enough that two versions of a file never meet

func assetHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])[:hashLen]
}
