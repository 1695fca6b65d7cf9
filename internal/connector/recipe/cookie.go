package recipe

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Bounds of a jar. Between steps it must fit, with the saved values, into a
// flow's state of 16 KiB.
const (
	maxCookies     = 50
	maxCookieBytes = 11 << 10 // names, values and paths together
)

// cookie is a cookie of the recipe's host (RFC 6265, section 5.3).
type cookie struct {
	Name    string    `json:"name"`
	Value   string    `json:"value"`
	Path    string    `json:"path"`
	Quoted  bool      `json:"quoted,omitzero"`
	Secure  bool      `json:"secure,omitzero"`
	Expires time.Time `json:"expires,omitzero"` // zero: ends with the session
}

func (c cookie) size() int { return len(c.Name) + len(c.Value) + len(c.Path) }

func (c cookie) expired(now time.Time) bool { return !c.Expires.IsZero() && !c.Expires.After(now) }

// jar keeps the cookies of one host, the oldest first. It is never sent to any
// other host, whatever a Domain attribute says.
type jar struct{ cookies []cookie }

// store takes the cookies that an answer to a request for the URL set. It
// reports whether the jar has become another in a way worth keeping: an expiry
// that slides by less than a tenth of the time left is not.
func (j *jar) store(from *url.URL, set []*http.Cookie, now time.Time) (changed bool) {
	for _, received := range set {
		if received.Name == "" || !ownDomain(received.Domain, from.Hostname()) ||
			(received.Secure && from.Scheme != "https") {
			continue
		}
		c := cookie{
			Name: received.Name, Value: received.Value, Path: received.Path,
			Quoted: received.Quoted, Secure: received.Secure, Expires: expiry(received, now),
		}
		if !strings.HasPrefix(c.Path, "/") {
			c.Path = defaultPath(from.EscapedPath())
		}
		changed = j.put(c, now) || changed
	}
	return j.tidy(now) || changed
}

// put adds a cookie or replaces the one of the same name and path.
func (j *jar) put(c cookie, now time.Time) (changed bool) {
	at := slices.IndexFunc(j.cookies, func(old cookie) bool { return old.Name == c.Name && old.Path == c.Path })
	switch {
	case c.expired(now) && at < 0:
		return false
	case c.expired(now):
		j.cookies = slices.Delete(j.cookies, at, at+1)
		return true
	case at < 0:
		j.cookies = append(j.cookies, c)
		return true
	}
	old := j.cookies[at]
	j.cookies[at] = c
	moved := c.Expires.Sub(old.Expires).Abs()
	slid := c.Expires.IsZero() == old.Expires.IsZero() && moved <= old.Expires.Sub(now)/10
	if old.Expires.IsZero() && c.Expires.IsZero() {
		slid = true
	}
	old.Expires = c.Expires
	return old != c || !slid
}

// tidy drops expired cookies, and the oldest until the jar is within its
// bounds.
func (j *jar) tidy(now time.Time) (changed bool) {
	before := len(j.cookies)
	j.cookies = slices.DeleteFunc(j.cookies, func(c cookie) bool { return c.expired(now) })
	size := 0
	for _, c := range j.cookies {
		size += c.size()
	}
	for len(j.cookies) > maxCookies || size > maxCookieBytes {
		size -= j.cookies[0].size()
		j.cookies = j.cookies[1:]
	}
	return len(j.cookies) != before
}

// due returns the cookies to send with a request for the URL, the longest path
// first (RFC 6265, section 5.4). The caller has made sure that the URL is the
// recipe's own.
func (j *jar) due(target *url.URL, now time.Time) []cookie {
	var due []cookie
	for _, c := range j.cookies {
		if !c.expired(now) && pathMatches(target.EscapedPath(), c.Path) && (!c.Secure || target.Scheme == "https") {
			due = append(due, c)
		}
	}
	slices.SortStableFunc(due, func(a, b cookie) int { return len(b.Path) - len(a.Path) })
	return due
}

// expiry returns when a cookie ends; Max-Age wins over Expires.
func expiry(c *http.Cookie, now time.Time) time.Time {
	const longest = 400 * 24 * time.Hour // RFC 6265bis, section 5.5
	latest := now.Add(longest)
	end := c.Expires
	switch {
	case c.MaxAge < 0:
		return time.Unix(1, 0).UTC()
	case c.MaxAge > 0:
		end = latest
		if c.MaxAge < int(longest/time.Second) {
			end = now.Add(time.Duration(c.MaxAge) * time.Second)
		}
	}
	if end.After(latest) {
		end = latest
	}
	return end.UTC().Round(0)
}

// ownDomain reports whether a Domain attribute covers the host. One that does
// not is a cookie for somebody else (RFC 6265, section 5.3, step 6).
func ownDomain(domain, host string) bool {
	domain, host = strings.ToLower(strings.TrimPrefix(domain, ".")), strings.ToLower(host)
	if domain == "" || domain == host {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err != nil && strings.Contains(domain, ".") && strings.HasSuffix(host, "."+domain)
}

// defaultPath is the path of a cookie that names none (RFC 6265, section
// 5.1.4).
func defaultPath(path string) string {
	last := strings.LastIndexByte(path, '/')
	if !strings.HasPrefix(path, "/") || last == 0 {
		return "/"
	}
	return path[:last]
}

// pathMatches is RFC 6265, section 5.1.4.
func pathMatches(path, cookiePath string) bool {
	if path == "" {
		path = "/"
	}
	return path == cookiePath || (strings.HasPrefix(path, cookiePath) &&
		(strings.HasSuffix(cookiePath, "/") || path[len(cookiePath)] == '/'))
}
