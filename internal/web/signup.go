package web

import (
	"context"
	"mime"
	"net/http"
	"slices"
	"time"

	"tidings/internal/audience"
	"tidings/internal/fault"
)

// maxPublicBody is how large a body may be that anybody may send.
const maxPublicBody = 16 << 10

// A SignUpper takes sign-ups; it is *audience.SignUps. Faults: Invalid, and Limited as an *audience.LimitError.
type SignUpper interface {
	Add(ctx context.Context, f audience.Form) error
}

// Signup serves the sign-up, to the site's own pages and to those of any other site: a plain form needs no permission, a
// script needs its origin's name in Origins.
type Signup struct {
	*Responder
	SignUps SignUpper
	Origins []string // exact, such as https://clinic.example
}

// Register adds the routes.
func (h Signup) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /subscribe", h.page)
	mux.HandleFunc("GET /subscribe/check-inbox", h.checkInbox)
	mux.HandleFunc("POST /subscribe", h.post)
	mux.HandleFunc("OPTIONS /subscribe", h.preflight)
}

func (h Signup) page(w http.ResponseWriter, r *http.Request) {
	h.cachedPage(w, r, time.Time{}, "subscribe", View{Title: "Subscribe to our monthly newsletter"})
}

func (h Signup) checkInbox(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	h.Page(w, r, http.StatusOK, "check-inbox", View{Title: "Please check your inbox", NoIndex: true})
}

// post answers every well-formed sign-up alike.
func (h Signup) post(w http.ResponseWriter, r *http.Request) {
	h.allow(w, r)
	f, err := readForm(w, r)
	if err == nil {
		f.Visit = visitOf(r)
		err = h.SignUps.Add(r.Context(), f)
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if WantsHTML(r) {
		http.Redirect(w, r, "/subscribe/check-inbox", http.StatusSeeOther)
		return
	}
	h.JSON(w, http.StatusAccepted, status{string(audience.Pending)})
}

// status is the answer to programs.
type status struct {
	Status string `json:"status"`
}

// preflight answers what browsers ask before a script of another origin may post JSON. An origin that is not known
// gets the same answer without permission.
func (h Signup) preflight(w http.ResponseWriter, r *http.Request) {
	if h.allow(w, r) {
		w.Header().Set("Access-Control-Allow-Methods", "POST")
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		w.Header().Set("Access-Control-Max-Age", "7200")
	}
	w.Header().Set("Allow", "GET, HEAD, OPTIONS, POST")
	w.WriteHeader(http.StatusNoContent)
}

// allow lets a script of a known origin read the answer, never with credentials: there are none here.
func (h Signup) allow(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(h.Origins, origin) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
	return true
}

// visitOf says where a request came from.
func visitOf(r *http.Request) audience.Visit {
	return audience.Visit{IP: IP(r.Context()), Referer: r.Header.Get("Referer")}
}

// readForm reads a sign-up in one of the three forms it may have.
func readForm(w http.ResponseWriter, r *http.Request) (audience.Form, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil {
		switch mediaType {
		case "application/json":
			var in struct {
				Email   string   `json:"email"`
				Name    string   `json:"name"`
				Topics  []string `json:"topics"`
				Website string   `json:"website"` // the form's trap, for scripts that send its fields as JSON
			}
			err := DecodeJSON(w, r, maxPublicBody, &in)
			return audience.Form{Email: in.Email, Name: in.Name, Topics: in.Topics, Trap: in.Website}, err
		case "application/x-www-form-urlencoded", "multipart/form-data":
			return readFields(w, r, mediaType)
		}
	}
	return audience.Form{}, fault.New(fault.Unsupported, "Send the sign-up as a form or as application/json.")
}

// readFields reads the fields of a form. Fields that are not known are a website's own business.
func readFields(w http.ResponseWriter, r *http.Request, mediaType string) (audience.Form, error) {
	if err := parseForm(w, r, mediaType); err != nil {
		return audience.Form{}, err
	}
	if err := once(r, "email", "name", "website"); err != nil {
		return audience.Form{}, err
	}
	return audience.Form{
		Email: r.PostForm.Get("email"), Name: r.PostForm.Get("name"), Trap: r.PostForm.Get("website"), Topics: filled(r.PostForm["topics"]),
	}, nil
}
