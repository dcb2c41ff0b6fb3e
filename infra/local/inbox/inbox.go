// Package inbox shows the mails that the local SES accepted, as pages and by the control API of the local stack. It exists so that a
// person can follow a digest to its readers, and a test can do the same by HTTP: read what came, set SES's limits and faults, move
// the clock, and sign in as an editor.
//
// Everything here is for this machine's user alone. Requests that name another host than the loopback (DNS rebinding) and what a
// page of another origin sends are refused.
package inbox

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"tidings/infra/local/sesapi"
	"tidings/internal/fault"
	"tidings/internal/web"
)

// A Clock is the stack's.
type Clock interface {
	Now() time.Time
	// Busy returns how much work is in flight.
	Busy() int
	// Advance moves the clock on by d and returns within 25 s how much work keeps it from getting there, 0 when it is.
	Advance(ctx context.Context, d time.Duration) (busy int, err error)
}

// An Inbox serves the pages and the control API.
type Inbox struct {
	*web.Responder
	Mails *sesapi.Server
	Clock Clock
	// Token returns a bearer token for the editors' API in a role, "publisher" or "editor".
	Token func(role string) (string, error)
	Demo  string // URL of the demo page
}

// Register adds the routes to a mux, which is to be served through Local.
func (i *Inbox) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", i.list)
	mux.HandleFunc("GET /messages/{id}", i.message)
	mux.HandleFunc("GET /messages/{id}/html", i.html)

	mux.HandleFunc("GET /api/messages", i.apiList)
	mux.HandleFunc("DELETE /api/messages", i.apiClear)
	mux.HandleFunc("GET /api/messages/{id}", i.apiMessage)
	mux.HandleFunc("GET /api/messages/{id}/raw", i.apiRaw)
	mux.HandleFunc("GET /api/clock", i.apiClock)
	mux.HandleFunc("POST /api/clock", i.apiAdvance)
	mux.HandleFunc("GET /api/ses", i.apiSettings)
	mux.HandleFunc("PUT /api/ses", i.apiChange)
	mux.HandleFunc("GET /api/editor-token", i.apiToken)
	for _, path := range []string{"/api/messages", "/api/messages/{id}", "/api/messages/{id}/raw", "/api/clock", "/api/ses", "/api/editor-token"} {
		mux.HandleFunc(path, i.otherMethod)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		i.Error(w, r, fault.New(fault.NotFound, "There is no such page."))
	})
}

// allowed are the methods of the control API's routes.
var allowed = map[string]string{"/api/messages": "GET, HEAD, DELETE", "/api/clock": "GET, HEAD, POST", "/api/ses": "GET, HEAD, PUT"}

func (i *Inbox) otherMethod(w http.ResponseWriter, r *http.Request) {
	methods, ok := allowed[r.URL.Path]
	if !ok {
		methods = "GET, HEAD"
	}
	w.Header().Set("Allow", methods)
	problem(w, http.StatusMethodNotAllowed, "This takes "+methods+".")
}

// Local lets a request through only when it names this machine and does not come from another website's page: any page may ask
// 127.0.0.1 for things, and a name that its owner points to 127.0.0.1 makes the answers readable.
func Local(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusForbidden, "Pages of other websites cannot control the local stack.")
	}))
	guarded := origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			problem(w, http.StatusForbidden, "The inbox answers to 127.0.0.1, localhost and [::1] only.")
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		guarded.ServeHTTP(w, r)
	})
}

// loopback reports whether a Host header names this machine, with any port or none.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.IsLoopback()
}
