package matrix

import (
	"net/url"
	"regexp"
	"strings"
)

// maxUserID bounds a user ID with its sigil and domain, in bytes
// (spec.matrix.org, appendices, "User Identifiers").
const maxUserID = 255

// The grammar of a user ID: a localpart of printable ASCII, as historical ones
// have it, and a server name (appendices, "Server Name"), here without IPv6.
var (
	localPattern  = regexp.MustCompile(`^[!-9;-~]+$`)
	serverPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:[0-9]{1,5})?$`)
	mediaPattern  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
)

// userID is a Matrix ID, @local:server. The server is in lower case.
type userID struct{ local, server string }

// String returns the whole ID.
func (u userID) String() string { return "@" + u.local + ":" + u.server }

// host returns the server without its port.
func (u userID) host() string {
	host, _, _ := strings.Cut(u.server, ":")
	return host
}

// parseUserID reads an ID as a homeserver writes it.
func (c *Connector) parseUserID(text string) (userID, bool) {
	name, found := strings.CutPrefix(text, "@")
	local, server, split := strings.Cut(name, ":")
	u := userID{local: local, server: strings.ToLower(server)}
	if !found || !split || len(text) > maxUserID || !localPattern.MatchString(local) || !serverPattern.MatchString(u.server) {
		return userID{}, false
	}
	return u, strings.Contains(u.host(), ".") && !isLoopback(u.host()) || c.config.Loopback && isLoopback(u.host())
}

// parseTyped reads an ID as a person types it: perhaps without the @, with
// spaces or with invisible marks of direction around it.
func (c *Connector) parseTyped(typed []byte) (userID, bool) {
	if len(typed) > 2*maxUserID {
		return userID{}, false
	}
	text := strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x2000 && r <= 0x206f || r == 0xfeff || r == 0xa0 {
			return -1
		}
		return r
	}, string(typed))
	if !strings.HasPrefix(text, "@") {
		text = "@" + text
	}
	return c.parseUserID(text)
}

// isLoopback reports whether the host is this machine by name or address.
func isLoopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// maxBase bounds a homeserver's base URL, in bytes.
const maxBase = 512

// parseBase reads a homeserver's base URL: https, or http to this machine in
// development; without a user, a query or a fragment. It may have a path.
func (c *Connector) parseBase(text string) (*url.URL, bool) {
	base, err := url.Parse(text)
	if err != nil || len(text) > maxBase {
		return nil, false
	}
	plain := c.config.Loopback && base.Scheme == "http" && isLoopback(base.Hostname())
	if (base.Scheme != "https" && !plain) || base.Hostname() == "" || base.User != nil || base.RawQuery != "" ||
		base.ForceQuery || base.Fragment != "" || base.Opaque != "" {
		return nil, false
	}
	path := strings.Trim(base.Path, "/")
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return nil, false
		}
	}
	if path != "" {
		path = "/" + path
	}
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: path}, true
}

// endpoint returns the URL of the client-server API's endpoint. Segments are
// escaped: a user ID may have a slash in it.
func endpoint(base *url.URL, segments ...string) *url.URL {
	target := *base
	target.Path += "/_matrix/client"
	target.RawPath = target.EscapedPath()
	for _, segment := range segments {
		target.Path += "/" + segment
		target.RawPath += "/" + url.PathEscape(segment)
	}
	return &target
}

// avatarOf returns the picture behind an mxc URI, "" where a browser could not
// fetch it: since version 1.11 of the API media needs an access token.
func avatarOf(base *url.URL, mxc string, open bool) string {
	name, found := strings.CutPrefix(mxc, "mxc://")
	server, media, split := strings.Cut(name, "/")
	if !open || !found || !split || !serverPattern.MatchString(server) || !mediaPattern.MatchString(media) {
		return ""
	}
	return base.JoinPath("_matrix/media/v3/download", server, media).String()
}
