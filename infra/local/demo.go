package main

import (
	"net/http"

	"tidings/internal/web"
	"tidings/internal/web/pages"
)

// demo is a clinic's website with the newsletter's form on it. It has the inbox's origin, not the gateway's: as on a real
// website the form posts across origins.
func demo(site, inbox string, respond *web.Responder) http.HandlerFunc {
	page := pages.DemoPage{Action: site + "/subscribe", Site: site, Inbox: inbox + "/"}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", pages.DemoCSP(page.Action))
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		respond.Page(w, r, http.StatusOK, "local/demo", web.View{Title: "Cedar Lane Clinic", NoIndex: true, Data: page})
	}
}
