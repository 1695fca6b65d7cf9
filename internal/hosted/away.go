package hosted

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"latchkey"
	"latchkey/internal/link"
)

// windowParameter is in the query of a page that was opened in a window of its
// own from one that is embedded, since providers let nobody frame theirs.
const windowParameter = "window"

// away sends the person on to the provider's own page. It changes nothing of
// the session; the browser is given a cookie by which it is known when it comes
// back, so that nobody can finish in one browser what another began (RFC 6749,
// section 10.12). A page that waits for no provider is drawn instead.
func (d *door) away(w http.ResponseWriter, r *http.Request) error {
	secret := r.PathValue("clientSecret")
	session, err := d.config.Links.Find(r.Context(), secret)
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return d.drawSilent(w, r, http.StatusNotFound)
	}
	if err != nil {
		return err
	}
	if session.AppSuspended {
		return latchkey.Errorf(latchkey.Forbidden, "the app that asks is suspended")
	}
	target := link.ProviderURL(session)
	if target == "" {
		if session.Request.Mode != latchkey.ModeHosted {
			return d.drawSilent(w, r, http.StatusGone)
		}
		redirect(w, pagePath(asPage(r, secret, nil), pageQuery(r)))
		return nil
	}
	query := ownQuery(r)
	if r.URL.Query().Get(windowParameter) != "" {
		query.Set(windowParameter, "opened")
	}
	http.SetCookie(w, d.awayCookie(session.ID, base64.RawURLEncoding.EncodeToString([]byte(secret+"?"+query.Encode()))))
	redirect(w, target)
	return nil
}

// awayPath is where the page sends the person on.
func awayPath(r *http.Request) string { return pathBelow(r, "provider", pageQuery(r)) }

// awayLife is how long a browser is known, in seconds: as long as a session
// lives at most.
const awayLife = 3600

// awayCookie remembers in the browser which page it left. The name tells the
// sessions of one browser apart. It comes back with a plain navigation from
// another site (Lax), is read by no script, and over TLS no other host of the
// site can plant it (the prefix __Host-, RFC 6265bis, section 4.1.3.2).
func (d *door) awayCookie(sessionID, value string) *http.Cookie {
	cookie := &http.Cookie{
		Name: "latchkey-" + sessionID, Value: value, Path: "/", MaxAge: awayLife, HttpOnly: true, Secure: d.config.Secure,
		SameSite: http.SameSiteLaxMode,
	}
	if d.config.Secure {
		cookie.Name = "__Host-" + cookie.Name
	}
	return cookie
}

// whereFrom returns what the browser remembers of the session: its secret, and
// the query of the page that was left.
func (d *door) whereFrom(r *http.Request, sessionID string) (secret string, query url.Values) {
	cookie, err := r.Cookie(d.awayCookie(sessionID, "").Name)
	if err != nil {
		return "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return "", nil
	}
	secret, rest, _ := strings.Cut(string(text), "?")
	query, err = url.ParseQuery(rest)
	if err != nil || !latchkey.ValidID(secret, latchkey.PrefixClientSecret) {
		return "", nil
	}
	return secret, query
}

// forgetAway takes the cookie back.
func (d *door) forgetAway(w http.ResponseWriter, sessionID string) {
	cookie := d.awayCookie(sessionID, "")
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}
