package egress

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxDestinations bounds how many addresses of a name are tried through an
// exit.
const maxDestinations = 3

// absolute returns the name so that a resolver does not complete it with the
// search domains of this machine: they are of the inside. The name localhost
// (RFC 6761, section 6.3) is left alone: the file of hosts does not know it with
// a dot, and where it leads is for the guard to judge.
func absolute(name string) string {
	if _, err := netip.ParseAddr(name); err == nil || name == "" || name == "localhost" || strings.HasSuffix(name, ".") {
		return name
	}
	return name + "."
}

// absoluteAddress is absolute for host:port.
func absoluteAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return net.JoinHostPort(absolute(host), port)
}

// resolving turns a host into addresses that may be connected to.
type resolving struct {
	guard    *guard
	resolver *net.Resolver
	timeout  time.Duration
	log      *slog.Logger
}

// destinations resolves host:port here and returns the addresses that the
// guard lets through, IPv4 first: an exit is told one of them, never a name,
// since what it would make of a name nobody here can judge.
func (r *resolving) destinations(ctx context.Context, address string) ([]netip.AddrPort, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, refusal("the destination can't be read")
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, refusal("the destination can't be read")
	}
	addresses, err := r.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	var allowed []netip.AddrPort
	for _, found := range addresses {
		destination := netip.AddrPortFrom(found.Unmap(), uint16(port))
		if err := r.guard.check(destination); err != nil {
			r.log.WarnContext(ctx, "egress refused", "destination", address, "reason", err)
			continue
		}
		allowed = append(allowed, destination)
	}
	if len(allowed) == 0 {
		return nil, refusal("the destination is not allowed")
	}
	slices.SortStableFunc(allowed, func(a, b netip.AddrPort) int { return cmp.Compare(a.Addr().BitLen(), b.Addr().BitLen()) })
	return allowed[:min(len(allowed), maxDestinations)], nil
}

func (r *resolving) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{address}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	addresses, err := r.resolver.LookupNetIP(ctx, "ip", absolute(host))
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", host, err)
	}
	return addresses, nil
}
