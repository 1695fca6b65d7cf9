package account

import (
	"slices"
	"strings"
)

// redirectRule returns the rule that a redirect URI breaks, or "". People are
// sent there with the outcome of a link, so it must lead to the app itself: over
// https to its registrable domain, or to the app on a phone that has its domain
// reversed as its scheme (RFC 8252, section 7.1); in the sandbox also to the
// developer's own machine (section 7.3).
func (s site) redirectRule(uri string) string {
	if rule := uriRule(uri); rule != "" {
		return rule
	}
	if scheme := reversed(s.domain); scheme != "" {
		if path, found := strings.CutPrefix(uri, scheme+":/"); found {
			if strings.HasPrefix(path, "/") {
				return "must have one slash after the scheme, like com.example.shop:/back"
			}
			return ""
		}
	}
	at, rule := locate(uri)
	switch {
	case rule != "":
		return rule
	case !s.isLive && isLoopback(at):
		return ""
	case at.scheme == "http" && !s.isLive:
		return "must begin with https://; http is for 127.0.0.1, [::1] and localhost"
	case at.scheme != "https":
		return "must begin with https://, or with the domain reversed, like com.example.shop:/back"
	}
	if rule := hostRule(at.host, s.isLive); rule != "" && at.host != s.domain {
		return "has a host that " + rule
	}
	if !s.owns(at.host) {
		return "must lead to the app's own domain"
	}
	return ""
}

// IsLoopback reports whether a redirect URI leads to the machine of whoever
// follows it: localhost, 127.0.0.1 or [::1], on any port.
func IsLoopback(uri string) bool {
	at, rule := locate(uri)
	return rule == "" && uriRule(uri) == "" && isLoopback(at)
}

func isLoopback(at location) bool {
	return (at.scheme == "http" || at.scheme == "https") && slices.Contains(loopbackHosts, at.host)
}

// reversed returns the private-use scheme that belongs to a domain, or "".
func reversed(domain string) string {
	if registrable(domain) == "" {
		return ""
	}
	labels := strings.Split(domain, ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".")
}
