package web

import (
	"context"
	"net/netip"
)

// ipKey is the context key of the client's address.
type ipKey struct{}

// WithIP stores the address of the client, as the gateway saw it. Nothing that the client sent has a say in it.
func WithIP(ctx context.Context, ip netip.Addr) context.Context {
	return context.WithValue(ctx, ipKey{}, ip)
}

// IP returns the address of the client, the zero Addr when it is not known.
func IP(ctx context.Context) netip.Addr {
	ip, _ := ctx.Value(ipKey{}).(netip.Addr)
	return ip
}
