package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"tidings/internal/digest"
	"tidings/internal/fault"
)

// DigestService is what editors do with digests; digest.Service is the one in use, and says which faults there are.
type DigestService interface {
	DigestReader
	DigestWriter
	DigestPublisher
}

// A DigestReader shows digests.
type DigestReader interface {
	Get(ctx context.Context, id string) (digest.Digest, error)
	List(ctx context.Context, cursor string, limit int) (digest.List, error)
	Preview(ctx context.Context, id string) (digest.Preview, error)
}

// A DigestWriter changes drafts.
type DigestWriter interface {
	Create(ctx context.Context, c digest.Change) (digest.Digest, error)
	Update(ctx context.Context, id string, revs []int64, c digest.Change) (digest.Digest, error)
	Duplicate(ctx context.Context, id string) (digest.Digest, error)
	Delete(ctx context.Context, id string, revs []int64) error
}

// A DigestPublisher sends digests, to editors and to everyone.
type DigestPublisher interface {
	Test(ctx context.Context, id string, to []string) error
	Schedule(ctx context.Context, id string, revs []int64, w digest.When) (digest.Digest, error)
	Pause(ctx context.Context, id string, revs []int64) (digest.Digest, error)
	Resume(ctx context.Context, id string, revs []int64) (digest.Digest, error)
	Cancel(ctx context.Context, id string, revs []int64) (digest.Digest, error)
}

// EditorDigests is the editors' API of digests. It expects that whoever gets here may use the route.
type EditorDigests struct {
	*Responder
	Service  DigestService
	Progress digest.Progresser
}

// Register adds the routes.
func (h EditorDigests) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /editor/api/digests", h.create)
	mux.HandleFunc("GET /editor/api/digests", h.list)
	mux.HandleFunc("GET /editor/api/digests/{id}", h.get)
	mux.HandleFunc("PATCH /editor/api/digests/{id}", h.patch)
	mux.HandleFunc("DELETE /editor/api/digests/{id}", h.delete)
	mux.HandleFunc("GET /editor/api/digests/{id}/preview", h.preview)
	mux.HandleFunc("POST /editor/api/digests/{id}/test", h.test)
	mux.HandleFunc("POST /editor/api/digests/{id}/schedule", h.schedule)
	mux.HandleFunc("POST /editor/api/digests/{id}/pause", h.steer(h.Service.Pause))
	mux.HandleFunc("POST /editor/api/digests/{id}/resume", h.steer(h.Service.Resume))
	mux.HandleFunc("POST /editor/api/digests/{id}/cancel", h.steer(h.Service.Cancel))
	mux.HandleFunc("POST /editor/api/digests/{id}/duplicate", h.duplicate)
}

// digestFields are the fields that a request may set. A field that is absent or null is nil.
type digestFields struct {
	Title     *string   `json:"title"`
	Subject   *string   `json:"subject"`
	Preheader *string   `json:"preheader"`
	Intro     *string   `json:"intro"`
	Articles  *[]string `json:"articles"`
}

func (h EditorDigests) create(w http.ResponseWriter, r *http.Request) {
	var in digestFields
	err := DecodeJSON(w, r, maxEditorBody, &in)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	d, err := h.Service.Create(r.Context(), digest.Change(in))
	h.answer(w, r, http.StatusCreated, d, err)
}

func (h EditorDigests) get(w http.ResponseWriter, r *http.Request) {
	d, err := h.Service.Get(r.Context(), r.PathValue("id"))
	h.answer(w, r, http.StatusOK, d, err)
}

func (h EditorDigests) patch(w http.ResponseWriter, r *http.Request) {
	var in digestFields
	if err := DecodeJSON(w, r, maxEditorBody, &in); err != nil {
		h.Error(w, r, err)
		return
	}
	d, err := h.Service.Update(r.Context(), r.PathValue("id"), revisions(r), digest.Change(in))
	h.answer(w, r, http.StatusOK, d, err)
}

func (h EditorDigests) delete(w http.ResponseWriter, r *http.Request) {
	if err := h.Service.Delete(r.Context(), r.PathValue("id"), revisions(r)); err != nil {
		h.Error(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h EditorDigests) preview(w http.ResponseWriter, r *http.Request) {
	p, err := h.Service.Preview(r.Context(), r.PathValue("id"))
	if err != nil {
		h.Error(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	h.JSON(w, http.StatusOK, p)
}

// test queues test mails: 202, since they are sent by another function.
func (h EditorDigests) test(w http.ResponseWriter, r *http.Request) {
	var in struct {
		To []string `json:"to"`
	}
	err := DecodeJSON(w, r, maxEditorBody, &in)
	if err == nil {
		err = h.Service.Test(r.Context(), r.PathValue("id"), in.To)
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	h.JSON(w, http.StatusAccepted, map[string]string{"status": "queued"})
}

func (h EditorDigests) schedule(w http.ResponseWriter, r *http.Request) {
	var in struct {
		SendAt   string `json:"sendAt"`
		Timezone string `json:"timezone"`
		Now      bool   `json:"now"`
	}
	if err := DecodeJSON(w, r, maxEditorBody, &in); err != nil {
		h.Error(w, r, err)
		return
	}
	d, err := h.Service.Schedule(r.Context(), r.PathValue("id"), revisions(r), digest.When{Now: in.Now, SendAt: in.SendAt, Timezone: in.Timezone})
	h.answer(w, r, http.StatusOK, d, err)
}

// steer handles what is done to a digest on its way, and answers with the digest.
func (h EditorDigests) steer(do func(ctx context.Context, id string, revs []int64) (digest.Digest, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := noBody(w, r); err != nil {
			h.Error(w, r, err)
			return
		}
		d, err := do(r.Context(), r.PathValue("id"), revisions(r))
		h.answer(w, r, http.StatusOK, d, err)
	}
}

func (h EditorDigests) duplicate(w http.ResponseWriter, r *http.Request) {
	if err := noBody(w, r); err != nil {
		h.Error(w, r, err)
		return
	}
	d, err := h.Service.Duplicate(r.Context(), r.PathValue("id"))
	h.answer(w, r, http.StatusCreated, d, err)
}

// noBody demands that a request have no body, or an empty object.
func noBody(w http.ResponseWriter, r *http.Request) error {
	const room = 1 << 10
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, room))
	if err != nil {
		return bodyFault(err, room)
	}
	if s := strings.Join(strings.Fields(string(body)), ""); s != "" && s != "{}" {
		return fault.New(fault.Invalid, "This request takes no body.")
	}
	return nil
}

// blockedDigest adds the linter's findings to the problem document.
type blockedDigest struct{ *digest.BlockedError }

// Problem implements problemExtra.
func (b blockedDigest) Problem(p *Problem) { p.Findings = b.Findings }

// answer sends a digest with its revision as the ETag, or the error.
func (h EditorDigests) answer(w http.ResponseWriter, r *http.Request, status int, d digest.Digest, err error) {
	if b, ok := errors.AsType[*digest.BlockedError](err); ok {
		err = blockedDigest{b}
	}
	var out editorDigest
	if err == nil {
		out, err = h.shown(r.Context(), d)
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	w.Header().Set("ETag", etag(d.Rev))
	w.Header().Set("Cache-Control", "no-store")
	if status == http.StatusCreated {
		w.Header().Set("Location", "/editor/api/digests/"+d.ID)
	}
	h.JSON(w, status, out)
}
