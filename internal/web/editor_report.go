package web

import (
	"net/http"

	"tidings/internal/digest"
)

// EditorReport is the API's reconciliation of digests: what became of each recipient. It names people, if by their IDs
// alone, so that it is for publishers.
type EditorReport struct {
	*Responder
	Digests DigestReader
	Reports digest.Reporter
}

// Register adds the route.
func (h EditorReport) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /editor/api/digests/{id}/report", h.report)
}

// reportLimit is how many recipients a page of a report has.
const reportLimit = 1000

func (h EditorReport) report(w http.ResponseWriter, r *http.Request) {
	cursor, limit, err := pageQueryUpTo(r, reportLimit, reportLimit)
	if err == nil {
		_, err = h.Digests.Get(r.Context(), r.PathValue("id"))
	}
	var out digest.Report
	if err == nil {
		out, err = h.Reports.Report(r.Context(), r.PathValue("id"), r.URL.Query().Get("outcome"), cursor, limit)
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	h.JSON(w, http.StatusOK, out)
}
