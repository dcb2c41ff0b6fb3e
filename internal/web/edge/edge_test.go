package edge_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/web"
	"tidings/internal/web/edge"
)

// call serves an event, given as API Gateway sends it, and returns the answer.
func call(t *testing.T, h http.Handler, event string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	out, err := edge.HTTP(h, web.WithIP)(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	var res events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &res); err != nil {
		t.Fatal(err)
	}
	return res
}

// TestRequest shows a handler the request that an event describes.
func TestRequest(t *testing.T) {
	t.Parallel()
	body := base64.StdEncoding.EncodeToString([]byte("a=\xff"))
	event := `{"version":"2.0","routeKey":"POST /confirm/{token}","rawPath":"/confirm/a%2Fb","rawQueryString":"x=1&x=2",
		"cookies":["one=1","two=2"],"headers":{"host":"news.example.org","content-type":"text/plain","x-two":"a,b"},
		"requestContext":{"http":{"method":"POST","path":"/confirm/a%2Fb","sourceIp":"::ffff:192.0.2.7"}},"body":"` + body + `","isBase64Encoded":true}`
	mux := http.NewServeMux()
	seen := false
	mux.HandleFunc("POST /confirm/{token}", func(w http.ResponseWriter, r *http.Request) {
		seen = true
		got, _ := io.ReadAll(r.Body)
		one, _ := r.Cookie("one")
		for what, pair := range map[string][2]any{
			"token": {r.PathValue("token"), "a/b"}, "query": {r.URL.Query()["x"][1], "2"}, "host": {r.Host, "news.example.org"},
			"type": {r.Header.Get("Content-Type"), "text/plain"}, "body": {string(got), "a=\xff"}, "length": {r.ContentLength, int64(3)},
			"cookie": {one.Value, "1"}, "ip": {web.IP(r.Context()), netip.MustParseAddr("192.0.2.7")},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s: got %v, want %v", what, pair[0], pair[1])
			}
		}
	})
	if res := call(t, mux, event); !seen || res.StatusCode != http.StatusOK {
		t.Errorf("seen %v, status %d", seen, res.StatusCode)
	}
}

// TestResponse shows an event's answer what a handler wrote.
func TestResponse(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept")
		w.Header().Add("Vary", "Origin")
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.WriteHeader(http.StatusEarlyHints) // informational: not the answer
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // too late
		w.Write([]byte(r.URL.Query().Get("body")))
	})
	event := func(method, body string) string {
		return `{"rawPath":"/","rawQueryString":"body=` + body + `","requestContext":{"http":{"method":"` + method + `","sourceIp":"192.0.2.7"}}}`
	}
	want := events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusTeapot, Headers: map[string]string{"vary": "Accept, Origin"}, Cookies: []string{"a=1", "b=2"}, Body: "caf\u00e9",
	}
	if d := cmp.Diff(want, call(t, h, event("GET", "caf%C3%A9"))); d != "" {
		t.Errorf("text (-want +got):\n%s", d)
	}
	want.Body, want.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte("\xff\x00")), true
	if d := cmp.Diff(want, call(t, h, event("GET", "%FF%00"))); d != "" {
		t.Errorf("bytes (-want +got):\n%s", d)
	}
	want.Body, want.IsBase64Encoded = "", false
	if d := cmp.Diff(want, call(t, h, event("HEAD", "caf%C3%A9"))); d != "" {
		t.Errorf("HEAD (-want +got):\n%s", d)
	}
}

// TestBadEvents refuses what API Gateway never sends, without reaching the handler.
func TestBadEvents(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") })
	if _, err := edge.HTTP(h, web.WithIP)(t.Context(), []byte(`{"rawPath":`)); err == nil {
		t.Error("half an event was served")
	}
	for name, event := range map[string]string{
		"a method with a blank": `{"rawPath":"/","requestContext":{"http":{"method":"GET IT"}}}`,
		"a body in no base64":   `{"rawPath":"/","requestContext":{"http":{"method":"GET"}},"body":"*","isBase64Encoded":true}`,
	} {
		if res := call(t, h, event); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d", name, res.StatusCode)
		}
	}
}

// TestQueue hands messages on and reports the ones that failed.
func TestQueue(t *testing.T) {
	t.Parallel()
	event := []byte(`{"Records":[{"messageId":"m1","body":"{}","attributes":{"ApproximateReceiveCount":"3"}},{"messageId":"m2","body":"x"}]}`)
	q := edge.Queue(func(_ context.Context, got []edge.Message) ([]string, error) {
		want := []edge.Message{{ID: "m1", Body: []byte("{}"), Receives: 3}, {ID: "m2", Body: []byte("x")}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("messages (-want +got):\n%s", d)
		}
		return []string{"m2"}, nil
	})
	if out, err := q(t.Context(), event); err != nil || string(out) != `{"batchItemFailures":[{"itemIdentifier":"m2"}]}` {
		t.Errorf("%s, %v", out, err)
	}
	// An empty list, not null, says that all went well: Lambda takes null for the same, but other pollers do not.
	q = edge.Queue(func(context.Context, []edge.Message) ([]string, error) { return nil, nil })
	if out, err := q(t.Context(), event); err != nil || string(out) != `{"batchItemFailures":[]}` {
		t.Errorf("%s, %v", out, err)
	}
	q = edge.Queue(func(context.Context, []edge.Message) ([]string, error) { return nil, errors.New("down") })
	if _, err := q(t.Context(), event); err == nil {
		t.Error("an error of the whole was lost")
	}
	if _, err := q(t.Context(), []byte(`[`)); err == nil {
		t.Error("half an event was read")
	}
}

// FuzzHTTP feeds any event to the edge: it answers or fails, and never panics.
func FuzzHTTP(f *testing.F) {
	f.Add([]byte(`{"rawPath":"/a%zz","rawQueryString":"%","headers":{"a\n":"b"},"cookies":[""],"requestContext":{"http":{"method":"PATCH","sourceIp":"x"}},"body":"é"}`))
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Write(append([]byte(r.URL.Path+strings.Join(r.Header["X"], "")), b...))
	})
	f.Fuzz(func(t *testing.T, event []byte) {
		out, err := edge.HTTP(h, web.WithIP)(t.Context(), event)
		if err == nil && !bytes.Contains(out, []byte(`"statusCode":`)) {
			t.Errorf("no answer: %s", out)
		}
	})
}
