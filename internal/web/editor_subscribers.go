package web

import (
	"context"
	"net/http"

	"tidings/internal/audience"
)

// A Helpdesk does for people who phone what they could do by their links; it is *audience.Helpdesk. Faults: NotFound for an ID that
// nothing is kept about.
type Helpdesk interface {
	Find(ctx context.Context, email string) (audience.ExportedProfile, bool, error)
	Unsubscribe(ctx context.Context, id, by string) error
	Erase(ctx context.Context, id, by string) error
}

// EditorSubscribers is the editors' API of people. It expects that whoever gets here may use the route. Addresses come in bodies
// only, since paths and queries end in logs; who asked for whom is logged by IDs.
type EditorSubscribers struct {
	*Responder
	Helpdesk Helpdesk
}

// Register adds the routes.
func (h EditorSubscribers) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /editor/api/subscribers/search", h.search)
	mux.HandleFunc("POST /editor/api/subscribers/{id}/unsubscribe", h.unsubscribe)
	mux.HandleFunc("POST /editor/api/subscribers/{id}/erase", h.erase)
}

// subscriberList is a list of people as the API has lists.
type subscriberList struct {
	Items []audience.ExportedProfile `json:"items"`
	Next  string                     `json:"next"`
}

func (h EditorSubscribers) search(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Email string `json:"email"`
	}
	err := DecodeJSON(w, r, maxPublicBody, &in)
	out := subscriberList{Items: []audience.ExportedProfile{}}
	if err == nil {
		var p audience.ExportedProfile
		var found bool
		if p, found, err = h.Helpdesk.Find(r.Context(), in.Email); found {
			out.Items = append(out.Items, p)
			h.Log.InfoContext(r.Context(), "editor looked up a subscriber", "subscriber", p.ID, "editor", EditorOf(r.Context()))
		}
	}
	h.answer(w, r, err, out)
}

func (h EditorSubscribers) unsubscribe(w http.ResponseWriter, r *http.Request) {
	id, by := r.PathValue("id"), EditorOf(r.Context())
	err := h.Helpdesk.Unsubscribe(r.Context(), id, by)
	if err == nil {
		h.Log.InfoContext(r.Context(), "editor unsubscribed a subscriber", "subscriber", id, "editor", by)
	}
	h.answer(w, r, err, status{string(audience.Unsubscribed)})
}

func (h EditorSubscribers) erase(w http.ResponseWriter, r *http.Request) {
	id, by := r.PathValue("id"), EditorOf(r.Context())
	err := h.Helpdesk.Erase(r.Context(), id, by)
	if err == nil {
		h.Log.InfoContext(r.Context(), "editor erased a subscriber", "subscriber", id, "editor", by)
	}
	h.answer(w, r, err, status{string(audience.Erased)})
}

// answer answers with v, or with what went wrong. No cache keeps it.
func (h EditorSubscribers) answer(w http.ResponseWriter, r *http.Request, err error, v any) {
	if err != nil {
		h.Error(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	h.JSON(w, http.StatusOK, v)
}
