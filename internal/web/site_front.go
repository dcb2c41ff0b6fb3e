package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"

	"tidings/internal/fault"
)

// A Front is the outermost handler of every function that speaks HTTP: it sets the headers that make browsers careful, answers
// unknown paths and methods in the site's own form, and turns a panic into a 500.
type Front struct {
	*Responder
	Mux *http.ServeMux
	CSP string // Content-Security-Policy, unless the handler sets its own
	// HTTPS says that the site is reached by https only, as everywhere but on one's own machine.
	HTTPS bool
}

// ServeHTTP implements http.Handler.
func (f Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", f.CSP)
	h.Set("X-Content-Type-Options", "nosniff")
	// Other sites don't learn which page one comes from: here even a path tells of health.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "browsing-topics=(), camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if f.HTTPS {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	started := &startedWriter{ResponseWriter: w}
	defer f.recovered(started, r)
	f.route(started, r, f.Mux)
}

// recovered answers 500 after a panic, if nothing has been answered yet, and logs where it came from, once. Of what it was
// raised with only errors of Go's runtime are logged: any other value may hold what a visitor sent.
func (f Front) recovered(w *startedWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	attrs := []any{"route", r.Pattern, "type", fmt.Sprintf("%T", v), "at", frames()}
	if err, ok := v.(runtime.Error); ok {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	f.Log.ErrorContext(r.Context(), "handler panicked", attrs...)
	if !w.started {
		f.Error(w, r, panicked{fault.New(fault.Unavailable, "Something went wrong on our side. Please try again in a moment.")})
	}
}

// panicked is answered as a 500; it has been logged.
type panicked struct{ error }

func (p panicked) Unwrap() error { return p.error }

// Problem implements problemExtra.
func (p panicked) Problem(doc *Problem) { doc.Status, doc.Code = http.StatusInternalServerError, "" }

// frames names the functions that were running, innermost first, without their arguments.
func frames() []string {
	pc := make([]uintptr, 16)
	var out []string
	all := runtime.CallersFrames(pc[:runtime.Callers(4, pc)])
	for {
		frame, more := all.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			out = append(out, fmt.Sprintf("%s:%d", frame.Function, frame.Line))
		}
		if !more {
			return out
		}
	}
}

// startedWriter knows whether an answer has begun.
type startedWriter struct {
	http.ResponseWriter
	started bool
}

func (w *startedWriter) WriteHeader(status int) {
	w.started = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *startedWriter) Write(b []byte) (int, error) {
	w.started = true
	return w.ResponseWriter.Write(b)
}

// route serves a request with mux. Where that has no route for it, its plain 404 or 405 becomes a problem document or a page.
func (s *Responder) route(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	h, pattern := mux.Handler(r)
	if pattern != "" {
		mux.ServeHTTP(w, r) // not h: only mux sets path values
		return
	}
	probe := verdict{header: http.Header{}}
	h.ServeHTTP(&probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		s.Error(w, r, wrongMethod{fault.New(fault.Invalid, "This address does not take %s requests.", method(r))})
		return
	}
	s.Error(w, r, fault.New(fault.NotFound, "There is nothing at this address."))
}

// method names a request's method if it is one of the usual; anything else is not repeated.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "such"
}

// wrongMethod is answered as a 405.
type wrongMethod struct{ error }

func (e wrongMethod) Unwrap() error { return e.error }

// Problem implements problemExtra.
func (e wrongMethod) Problem(p *Problem) {
	p.Status, p.Code = http.StatusMethodNotAllowed, "method-not-allowed"
}

// A verdict takes the mux's own answer and keeps its status and header.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) WriteHeader(status int)      { v.status = status }
func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }
