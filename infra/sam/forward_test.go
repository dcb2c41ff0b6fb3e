package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"address", "127.0.0.0/8"}, &out); err != nil || out.String() != "127.0.0.1\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	for want, args := range map[string][]string{
		"no address in":       {"address", "203.0.113.0/24"}, // for documentation (RFC 5737)
		"give one such as":    {"address", "docker0"},
		"give one such as 17": {"forward", "docker0", "1=2"},
		"usage: sam":          {"forward", "127.0.0.0/8"},
		"usage":               {"serve", "x"},
		"usage: ":             {"forward", "127.0.0.0/8", "1"},
	} {
		if err := run(t.Context(), args, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}

// TestForward asks a server on loopback by a port in front of it, from a network that may and from one that may not.
func TestForward(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	defer server.Close()
	for network, may := range map[string]bool{"127.0.0.0/8": true, "172.17.0.0/16": false} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- forward(ctx, l, netip.MustParsePrefix(network), server.Listener.Addr().String()) }()
		body := strings.Repeat("tidings ", 1<<17)
		client := &http.Client{Transport: &http.Transport{}}
		res, err := client.Post("http://"+l.Addr().String(), "text/plain", strings.NewReader(body))
		if (err == nil) != may {
			t.Errorf("from loopback, for %s: %v", network, err)
		}
		if err == nil {
			if got, err := io.ReadAll(res.Body); string(got) != body || err != nil {
				t.Errorf("%d bytes came back of %d, %v", len(got), len(body), err)
			}
			res.Body.Close()
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
		if _, err := client.Get("http://" + l.Addr().String()); err == nil {
			t.Error("answers after its end")
		}
	}
}

// TestForwardAll checks that a port which is taken is said, and that the end of its context ends it.
func TestForwardAll(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := run(t.Context(), []string{"forward", "127.0.0.0/8", "0=1", port + "=1"}, nil); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a port that is taken: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, []string{"forward", "127.0.0.0/8", "0=1"}, nil); err != nil {
		t.Errorf("ended with %v", err)
	}
}
