package atproto

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

// methodPattern is what names of XRPC methods are made of: they are NSIDs
// (atproto.com/specs/nsid), one segment of a path.
var methodPattern = regexp.MustCompile(`^[A-Za-z0-9.-]{1,317}$`)

// private are the families of methods that hand out credentials or change the
// account itself: an app password or a service token would outlive the
// connection and its audit. Of these, only the open ones are passed on.
var (
	private = []string{"com.atproto.server.", "com.atproto.identity.", "com.atproto.admin.", "com.atproto.temp."}
	open    = []string{
		"com.atproto.server.describeserver", "com.atproto.server.getsession", "com.atproto.server.checkaccountstatus",
		"com.atproto.identity.resolvehandle", "com.atproto.identity.resolvedid", "com.atproto.identity.resolveidentity",
	}
)

// Base returns where proxied requests go: /xrpc of the account's PDS, so that a
// path is the name of a method and nothing else of the PDS can be reached.
func (c *Connector) Base(encoded []byte) (*url.URL, error) {
	kept, err := c.readCredential(encoded)
	if err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	defer kept.zero()
	return &url.URL{Scheme: kept.pds.Scheme, Host: kept.pds.Host, Path: "/xrpc"}, nil
}

// Authorize adds the access token. It refuses a request that goes anywhere but
// to a method of the account's PDS, or to a private one.
func (c *Connector) Authorize(out *http.Request, encoded []byte) error {
	kept, err := c.readCredential(encoded)
	if err != nil {
		return fmt.Errorf("authorise: %w", err)
	}
	defer kept.zero()
	if out.URL.Scheme != kept.pds.Scheme || !strings.EqualFold(out.URL.Host, kept.pds.Host) {
		return errors.New("authorise: the request does not go to the account's own PDS")
	}
	name, ok := strings.CutPrefix(out.URL.Path, "/xrpc/")
	if !ok || !methodPattern.MatchString(name) {
		return latchkey.InvalidField("path", "must be the name of an XRPC method")
	}
	if isPrivate(strings.ToLower(name)) {
		return latchkey.Errorf(latchkey.Forbidden, "this method changes the account or hands out credentials; it can't be called through a connection")
	}
	out.Header.Set("Authorization", "Bearer "+string(kept.Access.Reveal()))
	return nil
}

// isPrivate reports whether the method, in lower case, is not passed on.
func isPrivate(name string) bool {
	return !slices.Contains(open, name) && slices.ContainsFunc(private, func(family string) bool {
		return strings.HasPrefix(name, family)
	})
}
