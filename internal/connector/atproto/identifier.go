package atproto

import (
	"regexp"
	"slices"
	"strings"
)

// The syntax of identifiers (atproto.com/specs/handle and /did).
var (
	handlePattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	plcPattern    = regexp.MustCompile(`^did:plc:[a-z2-7]{24}$`)
	webPattern    = regexp.MustCompile(`^did:web:[a-z0-9.-]{1,253}(%3A[0-9]{1,5})?$`)
)

// The longest handle and name of a person that are taken, in bytes.
const (
	maxHandle     = 253
	maxIdentifier = 512
)

// defaultDomain completes a name without a dot, as Bluesky's own app does.
const defaultDomain = ".bsky.social"

// reservedDomains can't be registered, so no handle is under them
// (atproto.com/specs/handle, "Additional Non-Syntax Restrictions"). The domain
// test is for development.
var reservedDomains = []string{"alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion"}

// identifier is what a person is called: a handle or a DID.
type identifier struct{ handle, did string }

// parseIdentifier reads what a person typed. Those who copy a handle bring an @
// and invisible marks of direction with it.
func (c *Connector) parseIdentifier(typed []byte) (identifier, bool) {
	if len(typed) > maxIdentifier {
		return identifier{}, false
	}
	name := strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x2000 && r <= 0x206f || r == 0xfeff || r == 0xa0 {
			return -1
		}
		return r
	}, string(typed))
	name = strings.TrimPrefix(name, "@")
	if strings.HasPrefix(name, "did:") {
		return identifier{did: name}, c.isDID(name)
	}
	name = strings.ToLower(name)
	if name != "" && !strings.ContainsAny(name, ".@:") {
		name += defaultDomain
	}
	return identifier{handle: name}, c.isHandle(name)
}

// isHandle reports whether the name, in lower case, can be a handle.
func (c *Connector) isHandle(name string) bool {
	if len(name) > maxHandle || !handlePattern.MatchString(name) {
		return false
	}
	domain := name[strings.LastIndexByte(name, '.')+1:]
	return !slices.Contains(reservedDomains, domain) && (domain != "test" || c.config.Loopback)
}

// isDID reports whether the DID is of a method that the AT Protocol knows.
func (c *Connector) isDID(did string) bool {
	if plcPattern.MatchString(did) {
		return true
	}
	host, ok := strings.CutPrefix(did, "did:web:")
	if !ok || !webPattern.MatchString(did) {
		return false
	}
	name, port, ported := strings.Cut(host, "%3A")
	if ported || name == "localhost" {
		return c.config.Loopback && port != "" && isLoopback(name)
	}
	return c.isHandle(name) // a host name like any handle
}
