package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// listen opens a flag's address, on loopback only: whoever reaches the stack is handed a publisher's token for the asking.
func listen(flag, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("-%s %s: give an address such as 127.0.0.1:8080", flag, addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && !(ip != nil && ip.IsLoopback()) {
		return nil, fmt.Errorf("-%s %s: the local stack listens on loopback only, for example on 127.0.0.1:8080", flag, addr)
	}
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("-%s %s: the port is taken by another program; choose another with -%s 127.0.0.1:PORT", flag, addr, flag)
	case err != nil:
		return nil, fmt.Errorf("-%s %s: %w", flag, addr, err)
	}
	return l, nil
}

// A server is one of the stack's four.
type server struct {
	listener net.Listener
	http     *http.Server
}

// url is the server's origin.
func (s *server) url() string { return "http://" + s.listener.Addr().String() }

// serve begins to answer.
func (s *server) serve(h http.Handler, log *slog.Logger) {
	s.http = &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 1 << 15,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go s.http.Serve(s.listener) // returns ErrServerClosed, or fails with the listener that close closes
}

// close answers the requests that there are, until ctx is over.
func (s *server) close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	if s.http == nil {
		return s.listener.Close()
	}
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}
