// Package web holds every HTTP handler: the public forms and pages, the editors' API, and the one table that maps
// faults of the domain to statuses. It exists so that a request is decoded, judged and answered in one place and one
// way, whichever function serves it. A handler decodes, makes one domain call and chooses an answer.
package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"tidings/internal/audience"
	"tidings/internal/fault"
)

// statuses is the one table from fault codes to HTTP statuses. Any other error is a 500.
var statuses = map[fault.Code]int{
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Gone:            http.StatusGone,
	fault.Stale:           http.StatusPreconditionFailed,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unsupported:     http.StatusUnsupportedMediaType,
	fault.Unprocessable:   http.StatusUnprocessableEntity,
	fault.Limited:         http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// A Renderer writes the named page of templates/pages. Package pages is the one in use.
type Renderer interface {
	Render(w io.Writer, page string, v View) error
}

// A View is what a page is rendered from; Data is the page's own struct, documented where the handler is.
type View struct {
	Title   string // of the document and its first heading
	NoIndex bool   // keep search engines out: pages behind a token, errors, forms' answers
	Data    any
}

// A Responder answers requests: pages for people, JSON and problem documents (RFC 9457) for programs.
type Responder struct {
	Pages Renderer
	Log   *slog.Logger
}

// Problem is the body of an error answer (RFC 9457 §3.1).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code,omitempty"`
	Field  string `json:"field,omitempty"`
	// Extra members, such as the linter's findings.
	Findings any `json:"findings,omitempty"`
}

// JSON writes v with the status.
func (s *Responder) JSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.Log.Error("encode answer", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

// Page renders a page with the status. It is rendered whole before the first byte goes out, so that a failing
// template is a clean 500.
func (s *Responder) Page(w http.ResponseWriter, r *http.Request, status int, page string, v View) {
	var b bytes.Buffer
	if err := s.Pages.Render(&b, page, v); err != nil {
		s.Log.Error("render page", "page", page, "error", err)
		http.Error(w, "Something went wrong on our side. Please try again in a moment.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// Error answers with the error's status: a problem document for programs, the page "problem" (with a Problem as its data)
// for people. An error that is not a fault is logged here, once, and tells the client nothing.
func (s *Responder) Error(w http.ResponseWriter, r *http.Request, err error) {
	p := Problem{Type: "about:blank", Status: http.StatusInternalServerError, Detail: "Something went wrong on our side. Please try again in a moment."}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		p.Status, p.Detail, p.Code, p.Field = statuses[f.Code], f.Message, string(f.Code), f.Field
	} else {
		s.Log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "error", err)
	}
	if x, ok := errors.AsType[problemExtra](err); ok {
		x.Problem(&p)
	}
	p.Title = http.StatusText(p.Status)
	if limit, ok := errors.AsType[*audience.LimitError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(limit.After.Seconds())))))
	}
	w.Header().Set("Cache-Control", "no-store")
	if WantsHTML(r) {
		s.Page(w, r, p.Status, "problem", View{Title: p.Title, NoIndex: true, Data: p})
		return
	}
	body, _ := json.Marshal(p) // strings and ints only, or findings that were JSON before
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	w.Write(append(body, '\n'))
}

// A problemExtra is an error that adds members to its problem document.
type problemExtra interface {
	error
	Problem(*Problem)
}

// WantsHTML reports whether the client is a person's browser: it prefers text/html in Accept, by weight (RFC 9110 §12.4.2),
// then by place. Programs, and clients that accept anything, get JSON.
func WantsHTML(r *http.Request) bool {
	html, best := false, 0.0
	for _, part := range strings.Split(r.Header.Get("Accept"), ",") {
		mt, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		weight := 1.0
		if q, ok := params["q"]; ok {
			weight, _ = strconv.ParseFloat(q, 64) // what is no number weighs nothing
		}
		switch mt {
		case "text/html", "application/xhtml+xml", "text/*", "application/json", "application/problem+json":
			if weight > best {
				best, html = weight, mt != "application/json" && mt != "application/problem+json"
			}
		}
	}
	return html
}

// DecodeJSON reads a JSON body of at most limit bytes into v. A wrong content type, a body that is too large, unknown
// fields and anything after the first value are faults.
func DecodeJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	if mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mt != "application/json" {
		return fault.New(fault.Unsupported, "Send the body as application/json.")
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return nil
		}
		if err == nil {
			return fault.New(fault.Invalid, "The body holds more than one JSON value.")
		}
	}
	return bodyFault(err, limit)
}

// bodyFault turns an error of reading or decoding a body into a fault that does not repeat what was sent.
func bodyFault(err error, limit int64) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.TooLarge, "The body is larger than %d bytes.", limit)
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fault.Field(fault.Invalid, t.Field, "The value has the wrong type.")
	}
	if strings.HasPrefix(err.Error(), "json: unknown field ") {
		return fault.New(fault.Invalid, "The body has a field that is not known here.")
	}
	return fault.New(fault.Invalid, "The body is not valid JSON.")
}
