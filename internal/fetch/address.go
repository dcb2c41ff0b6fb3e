package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// errAddress marks a connection that was refused for where it would have led.
var errAddress = errors.New("address not allowed")

// refused are the special-purpose networks that a public page never lives in (IANA's IPv4 and IPv6 special-purpose
// address registries, RFC 6890), with the ranges that hide an IPv4 address inside an IPv6 one.
var refused = prefixes(
	"0.0.0.0/8",       // this network (RFC 791)
	"10.0.0.0/8",      // private (RFC 1918)
	"100.64.0.0/10",   // carrier-grade NAT (RFC 6598)
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, cloud metadata (RFC 3927)
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // IETF protocol assignments (RFC 6890)
	"192.0.2.0/24",    // documentation (RFC 5737)
	"192.31.196.0/24", // AS112 (RFC 7535)
	"192.52.193.0/24", // AMT (RFC 7450)
	"192.88.99.0/24",  // 6to4 relay, deprecated (RFC 7526)
	"192.168.0.0/16",  // private
	"192.175.48.0/24", // AS112 (RFC 7534)
	"198.18.0.0/15",   // benchmarking (RFC 2544)
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, and broadcast

	"::/96",             // unspecified, loopback, IPv4-compatible
	"::ffff:0:0:0/96",   // IPv4-translated (RFC 2765)
	"64:ff9b::/96",      // NAT64 (RFC 6052)
	"64:ff9b:1::/48",    // local NAT64 (RFC 8215)
	"100::/64",          // discard (RFC 6666)
	"100:0:0:1::/64",    // dummy prefix (RFC 9780)
	"2001::/23",         // IETF protocol assignments: Teredo, ORCHID, benchmarking
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4 (RFC 3056)
	"2620:4f:8000::/48", // AS112
	"3fff::/20",         // documentation (RFC 9637)
	"5f00::/16",         // SRv6 SIDs (RFC 9602)
	"fc00::/7",          // unique local (RFC 4193)
	"fe80::/10",         // link-local
	"fec0::/10",         // site-local, deprecated (RFC 3879)
	"ff00::/8",          // multicast
)

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, s := range all {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Public reports whether an address is one that public web servers have. An IPv4 address mapped into IPv6 counts as
// what it is.
func Public(ip netip.Addr) bool {
	if ip = ip.Unmap().WithZone(""); !ip.IsGlobalUnicast() {
		return false
	}
	for _, p := range refused {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// control is called by the dialer for each connection, after names were resolved and right before connecting. What it
// sees is the very address of the connection, so that a name that resolves to something else the second time
// (DNS rebinding) gains nothing.
func control(network, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" || ap.Port() != 80 && ap.Port() != 443 || !Public(ap.Addr()) {
		return fmt.Errorf("connect: %w", errAddress)
	}
	return nil
}
