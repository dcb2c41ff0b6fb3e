// Package edge is the one place that knows Lambda's event types: it turns an event of API Gateway (HTTP API, payload 2.0) into an
// http.Request for an ordinary http.Handler, and an SQS event into messages for an ordinary function. Everything
// behind it is plain Go that knows nothing of Lambda.
package edge

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// Func adapts a function on raw events; it has lambda.Handler's method.
type Func func(ctx context.Context, payload []byte) ([]byte, error)

// Invoke calls the function.
func (f Func) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }

// HTTP serves API Gateway's requests with h. withIP stores the client's address, as the gateway saw it, in the request's context.
func HTTP(h http.Handler, withIP func(context.Context, netip.Addr) context.Context) Func {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		var ev events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(payload, &ev); err != nil {
			return nil, fmt.Errorf("decode API Gateway event: %w", err)
		}
		if ip, err := netip.ParseAddr(ev.RequestContext.HTTP.SourceIP); err == nil {
			ctx = withIP(ctx, ip.Unmap())
		}
		r, err := request(ctx, &ev)
		if err != nil {
			return json.Marshal(events.APIGatewayV2HTTPResponse{StatusCode: http.StatusBadRequest, Body: "bad request\n"})
		}
		w := &recorder{header: http.Header{}}
		h.ServeHTTP(w, r)
		return json.Marshal(w.response(r.Method == http.MethodHead))
	}
}

// request rebuilds the HTTP request that an event describes.
func request(ctx context.Context, ev *events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body := []byte(ev.Body)
	if ev.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(ev.Body); err != nil {
			return nil, fmt.Errorf("decode body: %w", err)
		}
	}
	u := &url.URL{Path: "/" + strings.TrimPrefix(ev.RawPath, "/"), RawQuery: ev.RawQueryString}
	if p, err := url.PathUnescape(u.Path); err == nil {
		u.Path, u.RawPath = p, u.Path
	}
	r, err := http.NewRequestWithContext(ctx, ev.RequestContext.HTTP.Method, "/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.URL, r.RequestURI = u, u.RequestURI()
	for k, v := range ev.Headers {
		r.Header.Set(k, v)
	}
	for _, c := range ev.Cookies {
		r.Header.Add("Cookie", c)
	}
	r.Host = r.Header.Get("Host")
	r.Header.Del("Host")
	r.RemoteAddr = ev.RequestContext.HTTP.SourceIP
	r.ContentLength = int64(len(body))
	return r, nil
}

// A recorder collects an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

func (w *recorder) response(head bool) events.APIGatewayV2HTTPResponse {
	w.WriteHeader(http.StatusOK)
	res := events.APIGatewayV2HTTPResponse{StatusCode: w.status, Headers: map[string]string{}}
	for k, v := range w.header {
		if k == "Set-Cookie" {
			res.Cookies = v
			continue
		}
		res.Headers[strings.ToLower(k)] = strings.Join(v, ", ")
	}
	if head {
		return res
	}
	if b := w.body.Bytes(); utf8.Valid(b) {
		res.Body = string(b)
	} else {
		res.Body, res.IsBase64Encoded = base64.StdEncoding.EncodeToString(b), true
	}
	return res
}

// A Message is one message of a queue.
type Message struct {
	ID       string
	Body     []byte
	Receives int       // how often it was received, this time included; 0 when unknown
	Sent     time.Time // zero when unknown
}

// Queue serves SQS events with h, which returns the IDs of the messages that failed (they come again, or end in the
// dead-letter queue), or an error, after which all come again.
func Queue(h func(ctx context.Context, messages []Message) (failed []string, err error)) Func {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		var ev events.SQSEvent
		if err := json.Unmarshal(payload, &ev); err != nil {
			return nil, fmt.Errorf("decode SQS event: %w", err)
		}
		messages := make([]Message, len(ev.Records))
		for i, rec := range ev.Records {
			messages[i] = Message{ID: rec.MessageId, Body: []byte(rec.Body)}
			if n, ok := rec.Attributes["ApproximateReceiveCount"]; ok {
				fmt.Sscan(n, &messages[i].Receives)
			}
			if ms, err := strconv.ParseInt(rec.Attributes["SentTimestamp"], 10, 64); err == nil {
				messages[i].Sent = time.UnixMilli(ms).UTC()
			}
		}
		failed, err := h(ctx, messages)
		if err != nil {
			return nil, err
		}
		res := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for _, id := range failed {
			res.BatchItemFailures = append(res.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
		return json.Marshal(res)
	}
}
