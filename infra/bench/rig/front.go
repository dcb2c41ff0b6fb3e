package rig

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
)

// A Call is one request of a process to a service.
type Call struct {
	Process *Process
	Service string // "dynamodb", "ses", "sqs", "ssm" or "scheduler"
	Op      string // as the service names it
	Body    []byte
}

// A Tap is shown each call before it takes effect, and after it has but before the answer goes out. When it returns true, which it does
// after it killed the process, the call ends there: unmade, or unanswered.
type Tap func(c Call, after bool) (cut bool)

// quiet is for servers whose clients are killed all the time.
var quiet = log.New(io.Discard, "", 0)

// maxRequest is more than the largest request of a function.
const maxRequest = 16 << 20

// front serves everything a process speaks to.
func (p *Process) front() http.Handler {
	mux := http.NewServeMux()
	p.runtimeAPI(mux)
	mux.HandleFunc("/", p.serveCall)
	return mux
}

// serveCall passes a call on to its service. Its effect does not depend on whether the process still lives.
func (p *Process) serveCall(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		panic(http.ErrAbortHandler) // the process died while it wrote
	}
	call, serve := p.rig.service(r)
	call.Process, call.Body = p, body
	p.rig.count(p.Function, call)
	if tap := p.rig.Tap; tap != nil && tap(call, false) {
		panic(http.ErrAbortHandler)
	}
	r = r.WithContext(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	serve(answer, r)
	if tap := p.rig.Tap; tap != nil && tap(call, true) {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// service finds the service that a request is for.
func (r *Rig) service(req *http.Request) (Call, func(http.ResponseWriter, *http.Request)) {
	service, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	switch {
	case strings.HasPrefix(service, "DynamoDB_"):
		return Call{Service: "dynamodb", Op: op}, r.toDynamoDB
	case service == "AmazonSQS":
		return Call{Service: "sqs", Op: op}, r.doors.ServeHTTP
	case service == "AmazonSSM":
		return Call{Service: "ssm", Op: op}, r.doors.ServeHTTP
	case strings.HasPrefix(req.URL.Path, "/schedules/"):
		return Call{Service: "scheduler", Op: req.Method}, r.doors.ServeHTTP
	case req.URL.Path == "/v2/email/account":
		return Call{Service: "ses", Op: "GetAccount"}, r.SES.ServeHTTP
	case req.URL.Path == "/v2/email/outbound-bulk-emails":
		return Call{Service: "ses", Op: "SendBulkEmail"}, r.SES.ServeHTTP
	}
	return Call{Service: "ses", Op: "SendEmail"}, r.SES.ServeHTTP
}

// toDynamoDB passes a request on.
func (r *Rig) toDynamoDB(w http.ResponseWriter, in *http.Request) {
	out, err := http.NewRequestWithContext(in.Context(), in.Method, r.DynamoDB+"/", in.Body)
	if err != nil {
		panic(fmt.Sprintf("request for DynamoDB: %v", err))
	}
	out.Header, out.ContentLength = in.Header.Clone(), in.ContentLength
	res, err := r.client.Do(out)
	if err != nil {
		panic(http.ErrAbortHandler) // as a lost connection; the SDK tries again
	}
	defer res.Body.Close()
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	io.Copy(w, res.Body)
}
