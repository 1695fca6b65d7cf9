package matrix

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"latchkey"
)

// versionPattern is the version that a path of the API begins with.
var versionPattern = regexp.MustCompile(`^(v[0-9]+|r0|unstable)$`)

// private are the endpoints, after their version, that hand out credentials,
// end the session behind the connection's back, or change the account itself.
var private = []string{"login", "logout", "refresh", "register", "auth", "account", "delete_devices"}

// Base returns where proxied requests go: the client-server API of the account's
// homeserver.
func (c *Connector) Base(encoded []byte) (*url.URL, error) {
	kept, err := c.readCredential(encoded)
	if err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	defer kept.zero()
	return endpoint(kept.base), nil
}

// Authorize adds the access token. It refuses a request that goes anywhere but
// to the client-server API of the account's homeserver, or to a private
// endpoint.
func (c *Connector) Authorize(out *http.Request, encoded []byte) error {
	kept, err := c.readCredential(encoded)
	if err != nil {
		return fmt.Errorf("authorise: %w", err)
	}
	defer kept.zero()
	if out.URL.Scheme != kept.base.Scheme || !strings.EqualFold(out.URL.Host, kept.base.Host) {
		return errors.New("authorise: the request does not go to the account's own homeserver")
	}
	path, ok := strings.CutPrefix(out.URL.Path, kept.base.Path+"/_matrix/client/")
	if !ok {
		return errors.New("authorise: the request does not go to the client-server API")
	}
	if isPrivate(out.Method, path) {
		return latchkey.Errorf(latchkey.Forbidden, "this endpoint changes the account or hands out credentials; it can't be called through a connection")
	}
	out.Header.Set("Authorization", "Bearer "+string(kept.Access.Reveal()))
	return nil
}

// isPrivate reports whether the path, below /_matrix/client/, is not passed on.
// Devices may be read; whoami tells no more than the connection does.
func isPrivate(method, path string) bool {
	var segments []string
	for segment := range strings.SplitSeq(strings.ToLower(path), "/") {
		if segment != "" { // some servers read two slashes as one
			segments = append(segments, segment)
		}
	}
	for len(segments) > 0 && (versionPattern.MatchString(segments[0]) || strings.Contains(segments[0], ".")) {
		segments = segments[1:] // a version, and after unstable a vendor's prefix
	}
	if len(segments) == 0 {
		return false
	}
	reads := method == http.MethodGet || method == http.MethodHead
	switch {
	case segments[0] == "devices", strings.Join(segments, "/") == "account/whoami":
		return !reads
	case segments[0] == "user" && len(segments) > 2 && segments[2] == "openid": // proves to others who one is
		return true
	}
	return slices.Contains(private, segments[0])
}
