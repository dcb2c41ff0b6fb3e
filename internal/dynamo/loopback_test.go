package dynamo_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tidings/internal/dynamo"
)

// An answer is whole before it is handed on: what happens to the connection then does not matter.
func TestBufferedTransport(t *testing.T) {
	t.Parallel()
	want := strings.Repeat("0123456789abcdef", 8<<10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, want) }))
	res, err := (&http.Client{Transport: dynamo.BufferedTransport{}}).Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	srv.CloseClientConnections()
	srv.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || string(got) != want {
		t.Errorf("%d bytes, %v, want %d", len(got), err, len(want))
	}
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
}

// An answer that breaks off is an error, not a short answer.
func TestBufferedTransportBrokenOff(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "short")
	}))
	defer srv.Close()
	res, err := (&http.Client{Transport: dynamo.BufferedTransport{}}).Get(srv.URL)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("answer %v, error %v", res, err)
	}
}
