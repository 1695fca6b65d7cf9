package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// Address returns the address of the person or backend that sent a request:
// the peer's, or, when the peer is a trusted proxy, the last one of
// X-Forwarded-For that is not. What anybody else says of themselves does not
// count. An IPv6 address stands for its /64, which is one customer's.
func Address(r *http.Request) string {
	about := noteOf(r.Context())
	if about.address == "" && about.config != nil { // few routes ask
		about.address = addressOf(about.remote, about.forwarded, about.config.TrustedProxies)
	}
	return about.address
}

// addressOf finds the address of a request that came from remote, with what was
// said of those it was forwarded for.
func addressOf(remote string, forwarded []string, trusted []netip.Prefix) string {
	peer, ok := parseAddress(remote)
	if !ok {
		return ""
	}
	if len(trusted) > 0 {
		hops := strings.Split(strings.Join(forwarded, ","), ",")
		for i := len(hops) - 1; i >= 0 && isTrusted(peer, trusted); i-- {
			before, ok := parseAddress(strings.TrimSpace(hops[i]))
			if !ok {
				break
			}
			peer = before
		}
	}
	if peer.Is6() {
		if network, err := peer.Prefix(64); err == nil {
			return network.String()
		}
	}
	return peer.String()
}

func isTrusted(address netip.Addr, trusted []netip.Prefix) bool {
	for _, prefix := range trusted {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// parseAddress reads an address with or without a port.
func parseAddress(text string) (netip.Addr, bool) {
	if pair, err := netip.ParseAddrPort(text); err == nil {
		return pair.Addr().Unmap().WithZone(""), true
	}
	address, err := netip.ParseAddr(text)
	return address.Unmap().WithZone(""), err == nil
}
