package web

import (
	"context"
	"net/http"

	"tidings/internal/audience"
	"tidings/internal/fault"
	"tidings/internal/token"
)

// An Unsubscriber does what unsubscribe links offer; it is *audience.Links. The only fault is NotFound, for a token that is
// not genuine.
type Unsubscriber interface {
	Check(p token.Purpose, text string) error
	Unsubscribe(ctx context.Context, text, how string, v audience.Visit) error
}

// Unsubscribe serves the links by which people leave: the page's button and, at the same address, the mail program's own
// (RFC 8058 §3.2), which acts at once, without a cookie and without a redirect.
type Unsubscribe struct {
	*Responder
	Links   Unsubscriber
	Returns Returner
	Consent audience.Consent // shown beside the button that brings back
}

// A Returner brings back who left by mistake; it is *audience.Returns. Faults: as of an Unsubscriber, and Limited.
type Returner interface {
	Return(ctx context.Context, text string, v audience.Visit) error
}

// A GoodbyePage is what the page "unsubscribed" shows.
type GoodbyePage struct {
	Action  string // path that the button of who left by mistake posts to
	Consent string
}

// Register adds the routes.
func (h Unsubscribe) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /unsubscribe/{token}", h.page)
	mux.HandleFunc("POST /unsubscribe/{token}", h.post)
	mux.HandleFunc("POST /unsubscribe/{token}/return", h.comeBack)
}

// inert is the token of test mails (mail.Builder.InertURL). It belongs to nobody.
const inert = "test"

func (h Unsubscribe) page(w http.ResponseWriter, r *http.Request) {
	private(w)
	if err := h.check(r); err != nil {
		h.Error(w, r, err)
		return
	}
	h.Page(w, r, http.StatusOK, "unsubscribe", View{Title: "Unsubscribe", NoIndex: true, Data: ActionPage{r.URL.Path}})
}

func (h Unsubscribe) check(r *http.Request) error {
	if r.PathValue("token") == inert {
		return fault.New(fault.NotFound, "This is the link of a test mail, and does nothing. In a digest it unsubscribes its reader.")
	}
	return h.Links.Check(token.Unsubscribe, r.PathValue("token"))
}

// post takes a genuine token's word for it: no body, however odd, keeps anybody on the list.
func (h Unsubscribe) post(w http.ResponseWriter, r *http.Request) {
	private(w)
	err := h.check(r)
	if err == nil {
		err = h.Links.Unsubscribe(r.Context(), r.PathValue("token"), howOf(w, r), visitOf(r))
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	if WantsHTML(r) {
		h.Page(w, r, http.StatusOK, "unsubscribed", View{
			Title: "You are unsubscribed", NoIndex: true, Data: GoodbyePage{r.URL.Path + "/return", h.Consent.Text},
		})
		return
	}
	h.JSON(w, http.StatusOK, status{string(audience.Unsubscribed)})
}

// comeBack has the mail sent by which who left by mistake subscribes again.
func (h Unsubscribe) comeBack(w http.ResponseWriter, r *http.Request) {
	private(w)
	err := h.check(r)
	if err == nil {
		err = h.Returns.Return(r.Context(), r.PathValue("token"), visitOf(r))
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	if WantsHTML(r) {
		h.Page(w, r, http.StatusAccepted, "return", View{Title: "Please check your inbox", NoIndex: true})
		return
	}
	h.JSON(w, http.StatusAccepted, status{string(audience.Pending)})
}

// howOf tells the mail program's button from the page's: RFC 8058 §3.1 has it send List-Unsubscribe=One-Click, as either
// kind of form.
func howOf(w http.ResponseWriter, r *http.Request) string {
	r.Body = http.MaxBytesReader(w, r.Body, maxPublicBody)
	if r.ParseMultipartForm(maxPublicBody); r.PostForm.Get("List-Unsubscribe") == "One-Click" {
		return audience.HowOneClick
	}
	return audience.HowLink
}
