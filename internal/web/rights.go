package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"tidings/internal/audience"
	"tidings/internal/fault"
)

// A Rightser gives subscribers what the law and good manners do; it is *audience.Preferences. Faults: as of a Preferencer.
type Rightser interface {
	CheckFresh(text string) error
	Export(ctx context.Context, text string) (audience.Export, error)
	Erase(ctx context.Context, text string) error
}

// Rights serves the links by which subscribers see and erase all that is held about them. They need a fresh link: an older one,
// which may have been forwarded since, offers to mail one.
type Rights struct {
	*Responder
	Rights Rightser
}

// Register adds the routes.
func (h Rights) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /preferences/{token}/export", h.export)
	mux.HandleFunc("GET /preferences/{token}/erase", h.askErase)
	mux.HandleFunc("POST /preferences/{token}/erase", h.erase)
}

// A RightsPage is what the pages "erase" and "stale" show.
type RightsPage struct {
	Path   string // of the preferences
	Action string // that the button posts to
}

// export answers with an indented document, since people open it too.
func (h Rights) export(w http.ResponseWriter, r *http.Request) {
	private(w)
	err := notInert(r)
	var out audience.Export
	if err == nil {
		out, err = h.Rights.Export(r.Context(), r.PathValue("token"))
	}
	if err != nil {
		h.refuseStale(w, r, err)
		return
	}
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil {
		h.Error(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="newsletter-data.json"`)
	w.Write(body.Bytes())
}

func (h Rights) askErase(w http.ResponseWriter, r *http.Request) {
	private(w)
	err := notInert(r)
	if err == nil {
		err = h.Rights.CheckFresh(r.PathValue("token"))
	}
	if err != nil {
		h.refuseStale(w, r, err)
		return
	}
	h.Page(w, r, http.StatusOK, "erase", View{Title: "Erase everything", NoIndex: true, Data: RightsPage{pagePath(r), r.URL.Path}})
}

func (h Rights) erase(w http.ResponseWriter, r *http.Request) {
	private(w)
	err := notInert(r)
	if err == nil {
		err = h.Rights.Erase(r.Context(), r.PathValue("token"))
	}
	if err != nil {
		h.refuseStale(w, r, err)
		return
	}
	if WantsHTML(r) {
		h.Page(w, r, http.StatusOK, "erased", View{Title: "Everything is erased", NoIndex: true})
		return
	}
	h.JSON(w, http.StatusOK, status{string(audience.Erased)})
}

// refuseStale answers a link that does not do what was asked; people whose link is too old can have a fresh one mailed.
func (h *Responder) refuseStale(w http.ResponseWriter, r *http.Request, err error) {
	if fault.Is(err, fault.Forbidden) && WantsHTML(r) {
		h.Page(w, r, http.StatusForbidden, "stale", View{Title: "This needs a fresh link", NoIndex: true, Data: RightsPage{pagePath(r), pagePath(r) + "/link"}})
		return
	}
	h.Error(w, r, err)
}
