// Package gateway is API Gateway's HTTP API on a laptop: it turns requests into events of payload format 2.0, picks the
// route as API Gateway does, invokes the function and writes its answer. It exists so that the functions' own
// edge is exercised by every click, and so that what has no route in the template is not found here either.
//
// The rules are those of the API Gateway developer guide, "Working with routes for HTTP APIs" and "Create AWS Lambda proxy
// integrations for HTTP APIs". Throttling is left out: a laptop has one client.
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Quotas of HTTP APIs and of Lambda.
const (
	maxBody    = 10 << 20         // of a request
	maxPayload = 6 << 20          // of an event or an answer
	maxWait    = 30 * time.Second // for the integration
)

// A Function is invoked with an event and answers in JSON, as Lambda does.
type Function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// A Gateway serves the routes of an API. It is an http.Handler.
type Gateway struct {
	routes routes
	now    func() time.Time
	newID  func() string
	log    *slog.Logger
	wait   time.Duration
}

// New returns a gateway for these routes: functions by route keys such as "GET /articles/{slug}". Events carry now's time.
func New(functions map[string]Function, now func() time.Time, newID func() string, log *slog.Logger) (*Gateway, error) {
	g := &Gateway{now: now, newID: newID, log: log, wait: maxWait}
	for key, f := range functions {
		r, err := parseRoute(key)
		if err != nil {
			return nil, err
		}
		r.function = f
		g.routes = append(g.routes, r)
	}
	return g, g.routes.check()
}

// ServeHTTP implements http.Handler. It logs what the template's access log format asks for: the route's pattern, never the
// path, which may hold a token, and no address.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	id := g.newID()
	key, status, cause := g.serve(w, r, id)
	level := slog.LevelInfo
	if cause != nil {
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("request", id), slog.String("route", key), slog.Int("status", status), slog.Int64("ms", time.Since(began).Milliseconds())}
	if cause != nil {
		attrs = append(attrs, slog.Any("error", cause))
	}
	g.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// serve answers one request. It returns the route's key, the status and what went wrong on the function's side.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, id string) (key string, status int, cause error) {
	w.Header().Set("Apigw-Requestid", id)
	route, params := g.routes.match(r.Method, r.URL.EscapedPath())
	if route == nil {
		return "", refuse(w, http.StatusNotFound, "Not Found"), nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return route.key, refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large"), nil
		}
		return route.key, refuse(w, http.StatusBadRequest, "Bad Request"), nil
	}
	payload, err := json.Marshal(event(r, route.key, params, body, id, g.now()))
	if err != nil {
		return route.key, refuse(w, http.StatusInternalServerError, "Internal Server Error"), fmt.Errorf("encode event: %w", err)
	}
	if len(payload) > maxPayload {
		return route.key, refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large"), nil
	}
	answer, err := g.invoke(r.Context(), route.function, payload)
	if errors.Is(err, errLate) {
		return route.key, refuse(w, http.StatusServiceUnavailable, "Service Unavailable"), err
	}
	if err != nil {
		return route.key, refuse(w, http.StatusInternalServerError, "Internal Server Error"), err
	}
	status, err = write(w, answer)
	if err != nil {
		return route.key, refuse(w, http.StatusInternalServerError, "Internal Server Error"), err
	}
	return route.key, status, nil
}

var errLate = errors.New("the function did not answer in time")

// invoke calls the function and gives up after the integration's timeout; the function itself runs on, as in Lambda, and a client
// that goes away does not end it either.
func (g *Gateway) invoke(ctx context.Context, f Function, payload []byte) ([]byte, error) {
	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 1)
	go func() {
		answer, err := f.Invoke(context.WithoutCancel(ctx), payload)
		done <- result{answer, err}
	}()
	late := time.NewTimer(g.wait)
	defer late.Stop()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-late.C:
		return nil, errLate
	}
}

// write sends a function's answer. It returns an error, and has written nothing, when that is none in format 2.0.
func write(w http.ResponseWriter, answer []byte) (int, error) {
	if len(answer) > maxPayload {
		return 0, fmt.Errorf("the function's answer has %d bytes, more than %d", len(answer), maxPayload)
	}
	var res events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &res); err != nil {
		return 0, fmt.Errorf("decode the function's answer: %w", err)
	}
	if res.StatusCode < 200 || res.StatusCode > 599 {
		return 0, fmt.Errorf("the function's answer has the status %d", res.StatusCode)
	}
	body, err := decodeBody(res)
	if err != nil {
		return 0, err
	}
	h := w.Header()
	for k, v := range res.Headers {
		h.Set(k, v)
	}
	for _, c := range res.Cookies {
		h.Add("Set-Cookie", c)
	}
	if h.Get("Content-Type") == "" && len(body) > 0 {
		h.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	if len(body) > 0 {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(res.StatusCode)
	w.Write(body)
	return res.StatusCode, nil
}

// refuse answers with one of API Gateway's own messages.
func refuse(w http.ResponseWriter, status int, message string) int {
	body, _ := json.Marshal(map[string]string{"message": message}) // a constant
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
	return status
}
