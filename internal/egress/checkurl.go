package egress

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"latchkey"
)

const (
	maxURL   = 2048 // bytes
	maxName  = 253  // bytes of a host name (RFC 1035, section 2.3.4, as text)
	maxLabel = 63   // bytes between its dots
)

// localNames are the ends of names that only mean something inside: RFC 6761
// and 6762, RFC 8375, and ICANN's reservation of "internal".
var localNames = []string{"localhost", "local", "internal", "home.arpa"}

// CheckURL says whether a URL may be registered to be called later. Its error
// is latchkey.InvalidField("url", …) and never repeats what was sent. It asks
// no DNS: what a name stands for is judged at every connection.
func (e *Egress) CheckURL(raw string) error {
	if rule := e.guard.urlRule(raw); rule != "" {
		return latchkey.InvalidField("url", rule)
	}
	return nil
}

// urlRule returns the rule that a URL breaks, or "".
func (g *guard) urlRule(raw string) string {
	if raw == "" || len(raw) > maxURL {
		return "must have 1 to 2048 characters"
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return "must be plain ASCII: percent-encode other characters and write the host name in punycode"
	}
	if strings.Contains(raw, "#") {
		return "must not have a fragment"
	}
	parsed, err := url.Parse(raw)
	if err != nil || parsed.Opaque != "" || parsed.Host == "" || strings.HasSuffix(parsed.Host, ":") {
		return "must be an absolute URL"
	}
	if parsed.Scheme != "https" && (parsed.Scheme != "http" || !g.allowLoopback) {
		return "must start with https://"
	}
	if parsed.User != nil {
		return "must not have a user name or password"
	}
	port, ok := portOf(parsed)
	if !ok {
		return "must have a valid port, or none"
	}
	if address, err := netip.ParseAddr(parsed.Hostname()); err == nil {
		return g.addressRule(netip.AddrPortFrom(address, port))
	}
	return g.nameRule(parsed.Hostname(), port)
}

// portOf returns the port that a URL leads to.
func portOf(u *url.URL) (uint16, bool) {
	switch text := u.Port(); {
	case text != "":
		port, err := strconv.ParseUint(text, 10, 16)
		return uint16(port), err == nil && port != 0 && text[0] != '0'
	case u.Scheme == "http":
		return 80, true
	default:
		return 443, true
	}
}

const (
	publicRule = "must lead to a public host"
	portRule   = "must lead to an allowed port"
)

func (g *guard) addressRule(destination netip.AddrPort) string {
	switch {
	case g.isDevelopment(destination):
		return ""
	case g.checkPlace(destination) != nil:
		return publicRule
	case !g.allowsPort(destination.Port()):
		return portRule
	}
	return ""
}

func (g *guard) nameRule(name string, port uint16) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if !isName(name) {
		return "must have a valid host name"
	}
	loopback := name == "localhost" || strings.HasSuffix(name, ".localhost")
	switch {
	case g.allowLoopback && loopback:
		return ""
	case !strings.Contains(name, "."), endsInNumber(name), slices.ContainsFunc(localNames, func(end string) bool {
		return name == end || strings.HasSuffix(name, "."+end)
	}):
		return publicRule
	case !g.allowsPort(port):
		return portRule
	}
	return ""
}

// isName reports whether the text is a host name in lower case: labels of
// letters, digits, hyphens and (seen in the wild) underscores.
func isName(text string) bool {
	if text == "" || len(text) > maxName {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// endsInNumber reports whether a resolver might read the name as an IPv4
// address: decimal, octal, hexadecimal or with parts left out (WHATWG URL,
// "ends in a number checker").
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if digits, isHex := strings.CutPrefix(last, "0x"); isHex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
