package account

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// The bounds of a host name (RFC 1035, section 2.3.4, as text).
const (
	maxHost  = 253 // bytes
	maxLabel = 63
)

// localNames are the ends of names that only mean something inside: RFC 6761
// and 6762, RFC 8375, and ICANN's reservation of "internal".
var localNames = []string{"localhost", "local", "internal", "home.arpa"}

// loopbackHosts are what an app on the developer's own machine is reached by.
var loopbackHosts = []string{"localhost", "127.0.0.1", "[::1]"}

const (
	nameOfHostRule = "must be a domain name in lower-case ASCII, like shop.example.com"
	imitationRule  = "must not be a domain that looks like another"
	publicRule     = "must be a public domain"
	suffixRule     = "must be below a public suffix, not one itself"
)

// site is whose domain it is that everything else of an app is held against.
type site struct {
	domain string
	isLive bool
}

// domainRule returns the rule that the domain breaks, or "".
func (s site) domainRule() string {
	if !s.isLive && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, s.domain) {
		return ""
	}
	return hostRule(s.domain, s.isLive)
}

// owns reports whether a host is the app's domain or under the same registrable
// domain.
func (s site) owns(host string) bool {
	own := registrable(s.domain)
	return host == s.domain || own != "" && registrable(host) == own
}

// registrable returns the part of a domain that somebody registered: one label
// more than the public suffix. It is "" for a public suffix, and for what has
// none.
func registrable(domain string) string {
	if !strings.Contains(domain, ".") {
		return ""
	}
	own, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return ""
	}
	return own
}

// hostRule returns the rule that a host name breaks, or "". It asks no DNS.
func hostRule(host string, mustBePublic bool) string {
	switch {
	case !isHostName(host) || !strings.Contains(host, "."):
		return nameOfHostRule
	case imitates(host):
		return imitationRule
	case mustBePublic && isLocal(host):
		return publicRule
	case registrable(host) == "":
		return suffixRule
	}
	return ""
}

// isHostName reports whether the text is a host name in lower case. The last
// label begins with a letter: what ends in a number might be read as an IPv4
// address, decimal, octal, hexadecimal or with parts left out.
func isHostName(text string) bool {
	if text == "" || len(text) > maxHost {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
		last = label
	}
	return last[0] >= 'a' && last[0] <= 'z'
}

func isLocal(host string) bool {
	return slices.ContainsFunc(localNames, func(end string) bool {
		return host == end || strings.HasSuffix(host, "."+end)
	})
}

// latinTwins are the Cyrillic and Greek small letters that are drawn like Latin
// ones.
const latinTwins = "асԁеһіјӏорԛѕԝхуъьҽпгѵѡҫӧӓ" + "ονικρυχα"

// imitates reports whether a name in punycode is no valid internationalised
// name (RFC 5891, section 4), mixes scripts within a label, or has a label that
// could be read as Latin letters throughout, below a suffix that is in Latin.
func imitates(host string) bool {
	underLatin := !strings.HasPrefix(host[strings.LastIndexByte(host, '.')+1:], "xn--")
	for label := range strings.SplitSeq(host, ".") {
		if !strings.HasPrefix(label, "xn--") {
			continue
		}
		shown, err := idna.Registration.ToUnicode(label)
		if err != nil {
			return true
		}
		if back, err := idna.Registration.ToASCII(shown); err != nil || back != label || shown == label {
			return true
		}
		if !isOneScript(shown) || underLatin && strings.Trim(shown, latinTwins+"0123456789-") == "" {
			return true
		}
	}
	return false
}
