package web

import (
	"fmt"
	"net/http"
	"time"
)

// robots keeps crawlers off what is one person's or the editors', and leads them to the rest.
const robots = `User-agent: *
Disallow: /address/
Disallow: /confirm/
Disallow: /editor/
Disallow: /preferences/
Disallow: /unsubscribe/

Sitemap: %s/sitemap.xml
`

// Site serves what every site has: the home page, its styles, and what machines ask for.
type Site struct {
	*Responder
	Name    string       // the clinic's
	BaseURL string       // public origin, without a trailing slash
	Version string       // of the build
	Static  http.Handler // serves /static/…; package pages has it
}

// Register adds the routes.
func (h Site) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", h.home)
	mux.HandleFunc("GET /robots.txt", h.robots)
	mux.HandleFunc("GET /healthz", h.health)
	mux.Handle("GET /static/{file...}", h.Static)
}

// home is the page "home", which has no data of its own.
func (h Site) home(w http.ResponseWriter, r *http.Request) {
	h.cachedPage(w, r, time.Time{}, "home", View{Title: h.Name})
}

func (h Site) robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	fmt.Fprintf(w, robots, h.BaseURL)
}

// health says that the function runs, and which version of it.
func (h Site) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	h.JSON(w, http.StatusOK, struct {
		Status  string `json:"status"`
		Version string `json:"version"`
	}{"ok", h.Version})
}
