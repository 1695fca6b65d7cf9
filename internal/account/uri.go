package account

import (
	"strconv"
	"strings"
)

// maxURI bounds a redirect URI, an origin and a logo's URL, in bytes.
const maxURI = 2048

// uriCharacters are those of RFC 3986, section 2, but for # and *, which are
// refused apart, and the letters and digits.
const uriCharacters = "-._~:/?[]@!$&'()+,;=%"

// uriRule returns the rule that the spelling of a URI breaks, or "". Parsers
// disagree about everything that it refuses.
func uriRule(uri string) string {
	switch {
	case uri == "" || len(uri) > maxURI:
		return "must have 1 to 2048 characters"
	case strings.Contains(uri, "#"):
		return "must not have a fragment"
	case strings.Contains(uri, "*"):
		return "must be exact, without *"
	case strings.ContainsFunc(uri, func(r rune) bool { return !isLetterOrDigit(r) && !strings.ContainsRune(uriCharacters, r) }):
		return "must have only the characters of a URI: percent-encode others and write the host in punycode"
	}
	return escapeRule(uri)
}

func isLetterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// escapeRule refuses a % that encodes nothing, and encoded control characters.
func escapeRule(uri string) string {
	for rest := uri; ; {
		_, after, found := strings.Cut(rest, "%")
		if !found {
			return ""
		}
		if len(after) < 2 {
			return "must have two hexadecimal digits after every %"
		}
		code, err := strconv.ParseUint(after[:2], 16, 8)
		if err != nil {
			return "must have two hexadecimal digits after every %"
		}
		if code < ' ' || code == 0x7f {
			return "must not have control characters, encoded or not"
		}
		rest = after[2:]
	}
}

// location is a URI with an authority, taken apart.
type location struct {
	scheme  string
	host    string // in brackets where it is an IPv6 address
	port    string // "" where none is written
	hasPort bool
	rest    string // "" or what begins with / or ?
}

// locate takes apart what looks like scheme://host:port/rest, and returns the
// rule that it breaks. It judges neither the scheme nor the host.
func locate(uri string) (location, string) {
	var at location
	scheme, rest, found := strings.Cut(uri, "://")
	if !found || scheme == "" || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz") != "" {
		return at, "must be absolute, like https://shop.example.com/back"
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	at.scheme, at.rest = scheme, rest[end:]
	authority := rest[:end]
	if strings.Contains(authority, "@") {
		return at, "must not have a user name or password"
	}
	at.host = authority
	if colon := strings.LastIndexByte(authority, ':'); colon > strings.LastIndexByte(authority, ']') {
		at.host, at.port, at.hasPort = authority[:colon], authority[colon+1:], true
	}
	if at.hasPort && !isPort(at.port) {
		return at, "must have a port from 1 to 65535, or none"
	}
	return at, ""
}

// isPort reports whether the text is 1 to 65535 without leading zeros.
func isPort(text string) bool {
	number, err := strconv.ParseUint(text, 10, 16)
	return err == nil && number > 0 && text[0] != '0'
}

// logoRule returns the rule that the URL of a logo breaks, or "".
func logoRule(uri string) string {
	if rule := uriRule(uri); rule != "" {
		return rule
	}
	at, rule := locate(uri)
	switch {
	case rule != "":
		return rule
	case at.scheme != "https":
		return "must begin with https://"
	}
	if rule := hostRule(at.host, true); rule != "" {
		return "has a host that " + rule
	}
	return ""
}
