package account

import (
	"net/netip"
	"strings"
)

// originRule returns the rule that an allowed origin breaks, or "". It is
// compared with what browsers send, so it is written as they do: lower case, no
// path, no default port (WHATWG HTML, "serialization of an origin").
func (s site) originRule(origin string) string {
	if rule := uriRule(origin); rule != "" {
		return rule
	}
	at, rule := locate(origin)
	switch {
	case rule != "":
		return "must be an exact origin, like https://shop.example.com"
	case at.rest != "":
		return "must be an origin alone, without a path"
	case at.scheme != "https" && (s.isLive || at.scheme != "http"):
		return "must begin with https://"
	case at.scheme == "https" && at.port == "443", at.scheme == "http" && at.port == "80":
		return "must be written without the default port, as browsers do"
	case !s.isLive && isNearby(at.host):
		return ""
	}
	if rule := hostRule(at.host, s.isLive); rule != "" {
		return "has a host that " + rule
	}
	return ""
}

// isNearby reports whether a host is on the developer's own machine or network:
// localhost, or an address in its one standard spelling.
func isNearby(host string) bool {
	if host == "localhost" {
		return true
	}
	literal, bracketed := strings.CutPrefix(host, "[")
	if bracketed {
		literal = strings.TrimSuffix(literal, "]")
	}
	address, err := netip.ParseAddr(literal)
	return err == nil && address.Zone() == "" && address.Is6() == bracketed && address.String() == literal
}
