package web

import (
	"context"
	"net/http"

	"tidings/internal/audience"
	"tidings/internal/fault"
	"tidings/internal/token"
)

// A Confirmer does what confirmation links offer; it is *audience.Links. Faults: NotFound for what is not genuine, Gone for
// what is over.
type Confirmer interface {
	Check(p token.Purpose, text string) error
	Confirm(ctx context.Context, text string, v audience.Visit) error
	Again(ctx context.Context, text string) error
}

// Confirm serves the links in confirmation mails. To open one changes nothing, since mail scanners do: it takes a press
// of the page's button.
type Confirm struct {
	*Responder
	Links Confirmer
}

// Register adds the routes.
func (h Confirm) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /confirm/{token}", h.page)
	mux.HandleFunc("POST /confirm/{token}", h.post)
	mux.HandleFunc("POST /confirm/{token}/again", h.again)
}

// An ActionPage is what pages with one button show.
type ActionPage struct{ Action string } // path that the button posts to

func (h Confirm) page(w http.ResponseWriter, r *http.Request) {
	private(w)
	if err := h.Links.Check(token.Confirm, r.PathValue("token")); err != nil {
		h.refuse(w, r, err)
		return
	}
	h.Page(w, r, http.StatusOK, "confirm", View{Title: "Please confirm your subscription", NoIndex: true, Data: ActionPage{r.URL.Path}})
}

func (h Confirm) post(w http.ResponseWriter, r *http.Request) {
	private(w)
	if err := h.Links.Confirm(r.Context(), r.PathValue("token"), visitOf(r)); err != nil {
		h.refuse(w, r, err)
		return
	}
	if WantsHTML(r) {
		h.Page(w, r, http.StatusOK, "confirmed", View{Title: "You are subscribed", NoIndex: true})
		return
	}
	h.JSON(w, http.StatusOK, status{string(audience.Confirmed)})
}

// again has the mail sent once more, if there is still something to confirm.
func (h Confirm) again(w http.ResponseWriter, r *http.Request) {
	private(w)
	if err := h.Links.Again(r.Context(), r.PathValue("token")); err != nil {
		h.Error(w, r, err)
		return
	}
	if WantsHTML(r) {
		h.Page(w, r, http.StatusAccepted, "again", View{Title: "Please check your inbox", NoIndex: true})
		return
	}
	h.JSON(w, http.StatusAccepted, status{string(audience.Pending)})
}

// refuse answers a link that does nothing; people whose link is over learn how to get another.
func (h Confirm) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if fault.Is(err, fault.Gone) && WantsHTML(r) {
		h.Page(w, r, http.StatusGone, "gone", View{
			Title: "This link no longer works", NoIndex: true, Data: ActionPage{"/confirm/" + r.PathValue("token") + "/again"},
		})
		return
	}
	h.Error(w, r, err)
}

// private keeps a page whose path is a token out of caches, search engines and the Referer of what is linked from it.
func private(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Robots-Tag", "noindex")
}
