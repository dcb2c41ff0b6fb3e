package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

type fn func(ctx context.Context, payload []byte) ([]byte, error)

func (f fn) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }

// answers returns a function that answers with res and shows the event it got.
func answers(res events.APIGatewayV2HTTPResponse, got *events.APIGatewayV2HTTPRequest) fn {
	return func(_ context.Context, payload []byte) ([]byte, error) {
		if got != nil {
			if err := json.Unmarshal(payload, got); err != nil {
				return nil, err
			}
		}
		return json.Marshal(res)
	}
}

func serve(t *testing.T, f Function, keys ...string) (*httptest.Server, *Gateway, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	all := map[string]Function{}
	for _, k := range keys {
		all[k] = f
	}
	g, err := New(all, func() time.Time { return noon }, func() string { return "req-1" }, slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	return s, g, log
}

// do sends a request with these headers (name, value, …) and returns the answer with its body read.
func do(t *testing.T, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestEvent(t *testing.T) {
	t.Parallel()
	var got events.APIGatewayV2HTTPRequest
	s, _, log := serve(t, answers(events.APIGatewayV2HTTPResponse{StatusCode: 204}, &got), "POST /confirm/{token}")
	res, _ := do(t, "POST", s.URL+"/confirm/secret-token?a=1&a=2&b=%20", `{"x":"ä"}`, "Content-Type", "application/json",
		"X-Many", "one", "X-Many", "two", "Cookie", "a=1; b=2", "User-Agent", "tester", "X-Forwarded-For", "192.0.2.1")
	if res.StatusCode != 204 {
		t.Fatalf("status %d", res.StatusCode)
	}
	host := strings.TrimPrefix(s.URL, "http://")
	want := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST /confirm/{token}", RawPath: "/confirm/secret-token", RawQueryString: "a=1&a=2&b=%20",
		Cookies: []string{"a=1", "b=2"}, Body: `{"x":"ä"}`,
		QueryStringParameters: map[string]string{"a": "1,2", "b": " "}, PathParameters: map[string]string{"token": "secret-token"},
		Headers: map[string]string{"host": host, "content-type": "application/json", "content-length": "10", "x-many": "one,two",
			"user-agent": "tester", "accept-encoding": "gzip", "x-forwarded-for": "192.0.2.1, 127.0.0.1", "x-forwarded-proto": "http"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "POST /confirm/{token}", AccountID: "000000000000", APIID: "local", Stage: "$default", RequestID: "req-1",
			DomainName: host, DomainPrefix: "local", Time: "24/Nov/2026:12:00:00 +0000", TimeEpoch: noon.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "POST", Path: "/confirm/secret-token", Protocol: "HTTP/1.1", SourceIP: "127.0.0.1", UserAgent: "tester"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if line := log.String(); !strings.Contains(line, "POST /confirm/{token}") || strings.Contains(line, "secret-token") || strings.Contains(line, "127.0.0.1") {
		t.Errorf("access log: %s", line)
	}
}

// TestBody checks which bodies are encoded in base64: API Gateway does so with forms too.
func TestBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		contentType, encoding, body string
		base64                      bool
	}{
		{"application/json", "", "{}", false},
		{"text/csv; charset=utf-8", "", "a,b", false},
		{"application/x-www-form-urlencoded", "", "a=b", true},
		{"multipart/form-data; boundary=x", "", "--x--", true},
		{"", "", "plain", true},
		{"text/plain", "gzip", "zipped", true},
		{"text/plain", "", "\xff\xfe", true},
	} {
		var got events.APIGatewayV2HTTPRequest
		s, _, _ := serve(t, answers(events.APIGatewayV2HTTPResponse{StatusCode: 200}, &got), "ANY /{proxy+}")
		do(t, "PUT", s.URL+"/x", c.body, "Content-Type", c.contentType, "Content-Encoding", c.encoding)
		if got.IsBase64Encoded != c.base64 || got.Body == "" {
			t.Errorf("%q %q: body %q, base64 %v", c.contentType, c.encoding, got.Body, got.IsBase64Encoded)
		}
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	full := events.APIGatewayV2HTTPResponse{
		StatusCode: 201, Body: "aGVsbG8=", IsBase64Encoded: true, Cookies: []string{"a=1; Path=/", "b=2"},
		Headers: map[string]string{"content-type": "image/png", "vary": "Accept, Origin"},
	}
	s, _, _ := serve(t, answers(full, nil), "ANY /{proxy+}")
	res, body := do(t, "GET", s.URL+"/x", "")
	if res.StatusCode != 201 || body != "hello" || res.Header.Get("Content-Type") != "image/png" || res.Header.Get("Vary") != "Accept, Origin" {
		t.Errorf("answer %d %q %v", res.StatusCode, body, res.Header)
	}
	if c := res.Header.Values("Set-Cookie"); len(c) != 2 || res.Header.Get("Apigw-Requestid") != "req-1" {
		t.Errorf("headers %v", res.Header)
	}
	if res, body := do(t, "HEAD", s.URL+"/x", ""); body != "" || res.StatusCode != 201 || res.ContentLength != 5 {
		t.Errorf("HEAD: %d %q, %d bytes", res.StatusCode, body, res.ContentLength)
	}
	bare, _, _ := serve(t, answers(events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "x"}, nil), "GET /")
	if res, _ := do(t, "GET", bare.URL, ""); res.Header.Get("Content-Type") != "text/plain;charset=UTF-8" {
		t.Errorf("content type %q", res.Header.Get("Content-Type"))
	}
}

// TestRefusals checks what API Gateway answers by itself.
func TestRefusals(t *testing.T) {
	t.Parallel()
	raw := func(s string) fn { return func(context.Context, []byte) ([]byte, error) { return []byte(s), nil } }
	fails := fn(func(context.Context, []byte) ([]byte, error) { return nil, errors.New("out of order") })
	for name, c := range map[string]struct {
		f       Function
		path    string
		body    int
		status  int
		message string
	}{
		"no route":        {raw(""), "/y/z", 0, 404, "Not Found"},
		"large body":      {raw(""), "/x", maxBody + 1, 413, "Request Entity Too Large"},
		"large event":     {raw(""), "/x", 5 << 20, 413, "Request Entity Too Large"},
		"failing":         {fails, "/x", 0, 500, "Internal Server Error"},
		"no JSON":         {raw("hello"), "/x", 0, 500, "Internal Server Error"},
		"no status":       {raw("{}"), "/x", 0, 500, "Internal Server Error"},
		"broken base64":   {raw(`{"statusCode":200,"body":"*","isBase64Encoded":true}`), "/x", 0, 500, "Internal Server Error"},
		"too large":       {raw(`{"statusCode":200,"body":"` + strings.Repeat("a", maxPayload) + `"}`), "/x", 0, 500, "Internal Server Error"},
		"not in its time": {fn(func(ctx context.Context, _ []byte) ([]byte, error) { select {} }), "/x", 0, 503, "Service Unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, g, _ := serve(t, c.f, "POST /x")
			if c.status == 503 {
				g.wait = time.Millisecond
			}
			res, body := do(t, "POST", s.URL+c.path, strings.Repeat("a", c.body))
			if want := `{"message":"` + c.message + `"}`; res.StatusCode != c.status || body != want || res.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%d %s, want %d %s", res.StatusCode, body, c.status, want)
			}
		})
	}
}
