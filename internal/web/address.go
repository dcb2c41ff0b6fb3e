package web

import (
	"net/http"

	"tidings/internal/audience"
)

// askMove is the page behind the link that a new address gets. To open it changes nothing.
func (h Preferences) askMove(w http.ResponseWriter, r *http.Request) {
	private(w)
	if err := h.Preferences.CheckMove(r.PathValue("token")); err != nil {
		h.Error(w, r, err)
		return
	}
	h.Page(w, r, http.StatusOK, "address", View{Title: "Please confirm your new address", NoIndex: true, Data: ActionPage{r.URL.Path}})
}

func (h Preferences) move(w http.ResponseWriter, r *http.Request) {
	private(w)
	if err := h.Preferences.Move(r.Context(), r.PathValue("token"), visitOf(r)); err != nil {
		h.Error(w, r, err)
		return
	}
	if WantsHTML(r) {
		h.Page(w, r, http.StatusOK, "moved", View{Title: "Your new address is confirmed", NoIndex: true})
		return
	}
	h.JSON(w, http.StatusOK, status{string(audience.Confirmed)})
}
