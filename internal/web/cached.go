package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// cachePublic lets browsers and the CDN keep what everybody may read for a minute, and show it while they ask again
// (RFC 5861 §3).
const cachePublic = "public, max-age=60, stale-while-revalidate=600"

// cachedJSON answers 200 with v, or 304 where the client has it already.
func (s *Responder) cachedJSON(w http.ResponseWriter, r *http.Request, modified time.Time, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.Error(w, r, fmt.Errorf("encode answer: %w", err))
		return
	}
	serveCached(w, r, modified, "application/json; charset=utf-8", append(body, '\n'))
}

// cachedPage answers 200 with a page, or 304 where the client has it already.
func (s *Responder) cachedPage(w http.ResponseWriter, r *http.Request, modified time.Time, page string, v View) {
	var b bytes.Buffer
	if err := s.Pages.Render(&b, page, v); err != nil {
		s.Error(w, r, err)
		return
	}
	serveCached(w, r, modified, "text/html; charset=utf-8", b.Bytes())
}

// serveCached sends a body with a strong ETag made of its bytes, which changes with every deployment that changes the
// page. The standard library decides about 304 (RFC 9110 §13).
func serveCached(w http.ResponseWriter, r *http.Request, modified time.Time, contentType string, body []byte) {
	sum := sha256.Sum256(body)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", cachePublic)
	w.Header().Add("Vary", "Accept")
	http.ServeContent(w, r, "", modified, bytes.NewReader(body))
}
