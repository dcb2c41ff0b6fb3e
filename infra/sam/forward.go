package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// addressIn is this machine's address in a network: of Docker's bridge, the one at which containers reach it.
func addressIn(network netip.Prefix) (netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("list this machine's addresses: %w", err)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && network.Contains(p.Addr()) {
			return p.Addr(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("this machine has no address in Docker's network %s: is Docker's engine on another machine?", network)
}

// forwardAll forwards pairs of ports, each from an address of a network to loopback, until ctx is done. Only that network may use them:
// the local stack hands out its keys, and a publisher's token, to whoever asks.
func forwardAll(ctx context.Context, network netip.Prefix, address netip.Addr, pairs []string) error {
	if len(pairs) == 0 {
		return errUsage
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, len(pairs))
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for _, pair := range pairs {
		from, to, ok := strings.Cut(pair, "=")
		if !ok {
			return errUsage
		}
		l, err := net.Listen("tcp", net.JoinHostPort(address.String(), from))
		if err != nil {
			return fmt.Errorf("forward: %w", err)
		}
		running.Go(func() { failed <- forward(ctx, l, network, net.JoinHostPort("127.0.0.1", to)) })
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// forward connects who comes from a network with a target. It closes the listener, and all connections, when ctx is done.
func forward(ctx context.Context, l net.Listener, network netip.Prefix, target string) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	defer l.Close()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("forward to %s: %w", target, err)
		}
		if peer, err := netip.ParseAddrPort(c.RemoteAddr().String()); err != nil || !network.Contains(peer.Addr().Unmap()) {
			c.Close()
			continue
		}
		go connect(ctx, c, target)
	}
}

// connect copies both ways until both have ended.
func connect(ctx context.Context, c net.Conn, target string) {
	defer c.Close()
	var d net.Dialer
	t, err := d.DialContext(ctx, "tcp", target)
	if err != nil {
		return // the client sees its connection closed
	}
	defer t.Close()
	defer context.AfterFunc(ctx, func() { c.Close(); t.Close() })()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{c, t}, {t, c}} {
		both.Go(func() {
			io.Copy(way[0], way[1])
			way[0].(*net.TCPConn).CloseWrite() // half closed: an answer may still come the other way
		})
	}
	both.Wait()
}
