// Package doors lets functions that run elsewhere use the local stack: it speaks what their SDK says to SQS, Systems Manager and
// EventBridge Scheduler, and hands it to the stack's own queues, keys and schedules. It exists so that the API's functions can run in
// SAM CLI's containers (make sam-local), with no code of theirs knowing, and their messages still wake the workers in this process.
//
// It knows the calls that Tidings makes, and refuses every other call, member and value that it would have to leave out: SendMessage,
// GetQueueAttributes, GetParameter, and CreateSchedule, UpdateSchedule and DeleteSchedule. SES and DynamoDB have addresses of their own.
package doors

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"sync"
	"time"

	"tidings/internal/delivery"
)

// maxBody is the largest request that is read: SQS's largest message is 1 MiB, which JSON may make up to six times longer.
const maxBody = 8 << 20

// A Config is what the stack gives.
type Config struct {
	NewID      func() string
	Now        func() time.Time
	Log        *slog.Logger
	Queues     map[string]Queue  // by URL
	Parameters map[string][]byte // SecureStrings by name, decrypted
	// Schedules returns the schedules of a group whose target is a function, by ARN; nil when there is no such function.
	Schedules func(group, target, deadLetter string) Schedules
}

// A Queue is one of the stack's queues.
type Queue interface {
	delivery.Measured
	Send(ctx context.Context, body []byte, delay time.Duration) error
}

// Schedules are those of a group.
type Schedules interface {
	Has(name string) bool
	Once(ctx context.Context, name string, at time.Time, payload []byte) error
	EveryMinute(ctx context.Context, name string, payload []byte) error
	Delete(ctx context.Context, name string) error
}

// A Server answers the SDK. It is safe for concurrent use.
type Server struct {
	Config
	mux       *http.ServeMux
	schedules sync.Mutex // whether a name is taken is asked and answered in one
}

// New returns a server.
func New(c Config) *Server {
	s := &Server{Config: c, mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /{$}", s.json)
	s.mux.HandleFunc("POST /schedules/{name}", s.rest(s.createSchedule))
	s.mux.HandleFunc("PUT /schedules/{name}", s.rest(s.updateSchedule))
	s.mux.HandleFunc("DELETE /schedules/{name}", s.rest(s.deleteSchedule))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { unknown().write(w) })
	return s
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-amzn-RequestId", s.NewID())
	s.mux.ServeHTTP(w, r)
}

// json answers the services that speak AWS JSON, where a header names the operation.
func (s *Server) json(w http.ResponseWriter, r *http.Request) {
	var out any
	var fail *apiError
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch r.Header.Get("X-Amz-Target") {
	case "AmazonSQS.SendMessage":
		out, fail = call(w, r, "sqs", s.sendMessage)
	case "AmazonSQS.GetQueueAttributes":
		out, fail = call(w, r, "sqs", s.queueAttributes)
	case "AmazonSSM.GetParameter":
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		out, fail = call(w, r, "ssm", s.getParameter)
	default:
		fail = unknown()
	}
	s.answer(w, r, out, fail)
}

// rest answers EventBridge Scheduler, which speaks REST with JSON.
func (s *Server) rest(do func(r *http.Request, in schedule) (any, *apiError)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		out, fail := call(w, r, "scheduler", func(ctx context.Context, in schedule) (any, *apiError) { return do(r.WithContext(ctx), in) })
		s.answer(w, r, out, fail)
	}
}

// answer writes what a call has come to. What went wrong inside the stack is logged here, once; the client gets its code only.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, out any, fail *apiError) {
	if fail != nil {
		if fail.cause != nil {
			s.Log.ErrorContext(r.Context(), "call from elsewhere failed", "target", r.Header.Get("X-Amz-Target"), "method", r.Method, "error", fail.cause)
		}
		fail.write(w)
		return
	}
	body, _ := json.Marshal(out) // strings and numbers only
	w.Write(body)
}

// scope is the part of a signature that says whom it is for (Signature Version 4). Its value can't be checked: there is no secret here.
var scope = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[\w+=,.@-]+/\d{8}/[a-z0-9-]+/([a-z]+)/aws4_request,`)

// call decodes a request for a service and does it. Its effect does not depend on whether the client still waits.
func call[In any](w http.ResponseWriter, r *http.Request, service string, do func(ctx context.Context, in In) (any, *apiError)) (any, *apiError) {
	m := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil || m[1] != service {
		return nil, &apiError{status: http.StatusForbidden, code: "SignatureDoesNotMatch", message: "Credential should be scoped to correct service: '" + service + "'."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, &apiError{status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge", message: "The request could not be read, or is too large."}
	}
	var in In
	if len(body) > 0 {
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil || d.More() {
			return nil, invalid("The request is not JSON of the operation's shape, or has a member that the local stack does not know.")
		}
	}
	return do(context.WithoutCancel(r.Context()), in)
}
