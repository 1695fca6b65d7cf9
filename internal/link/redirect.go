package link

import (
	"net/url"
	"strings"

	"latchkey"
)

// maxRedirect bounds a redirect URI, in bytes.
const maxRedirect = 2048

// redirectFor returns the redirect URI of the request, which must equal a
// registered one byte for byte; URL parsers disagree about everything else.
// Absent, it is the first registered one, or none.
func redirectFor(app latchkey.ClientApp, asked string) (string, error) {
	if asked == "" {
		if len(app.RedirectURIs) == 0 {
			return "", nil
		}
		return app.RedirectURIs[0], nil
	}
	for _, registered := range app.RedirectURIs {
		if asked == registered || sameButPort(asked, registered) {
			return asked, nil
		}
	}
	return "", latchkey.InvalidField("redirectUrl", "is not registered for this client app")
}

// sameButPort reports whether both are the same loopback address but for the
// port, which a native app can't know beforehand (RFC 8252, section 7.3). Only
// the literal addresses count; localhost is a name, and names can be moved.
func sameButPort(asked, registered string) bool {
	if len(asked) > maxRedirect {
		return false
	}
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		askedRest, askedHere := afterPort(asked, host)
		registeredRest, registeredHere := afterPort(registered, host)
		if askedHere && registeredHere {
			return askedRest == registeredRest
		}
	}
	return false
}

// afterPort cuts "host" and an optional ":port" of 1 to 65535 without leading
// zeros, and reports whether what follows begins a path, or is nothing.
func afterPort(uri, host string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(uri, host)
	if !ok {
		return "", false
	}
	if port, found := strings.CutPrefix(rest, ":"); found {
		digits := 0
		number := 0
		for digits < len(port) && port[digits] >= '0' && port[digits] <= '9' && digits < 6 {
			number = number*10 + int(port[digits]-'0')
			digits++
		}
		if digits == 0 || port[0] == '0' || number > 65535 {
			return "", false
		}
		rest = port[digits:]
	}
	return rest, rest == "" || rest[0] == '/'
}

// ReturnURL returns where the person goes back to with the outcome of an ended
// session, or with the code that confirms it, or "" when the app gave no
// redirect URI.
func ReturnURL(session *latchkey.LinkSession) string {
	if session.Request.RedirectURL == "" || (!session.State.Final() && session.ConfirmCode == "") {
		return ""
	}
	query := [][2]string{}
	add := func(name, value string) {
		if value != "" {
			query = append(query, [2]string{name, value})
		}
	}
	switch {
	case session.State == latchkey.StateConfirm:
		add("status", "success")
		add("code", session.ConfirmCode)
	case session.State == latchkey.StateCompleted:
		add("status", "success")
		add("connection_id", session.Progress.ConnectionID)
	case Cancelled(session):
		add("status", "cancelled")
		add("step", string(session.Progress.Step))
	default:
		add("status", "error")
		add("error_code", string(session.Progress.Failure))
	}
	add("client_reference_id", session.Request.ClientReferenceID)
	add("session_id", session.ID)
	return appendQuery(session.Request.RedirectURL, query)
}

// Cancelled reports whether the person ended the session of their own will.
func Cancelled(session *latchkey.LinkSession) bool {
	return session.State == latchkey.StateDenied && session.Progress.Failure == latchkey.FailureCancelled
}

// appendQuery adds parameters, in order, to a URI whose own query and fragment
// stay as they are, byte for byte.
func appendQuery(uri string, query [][2]string) string {
	base, fragment, hasFragment := strings.Cut(uri, "#")
	var out strings.Builder
	out.WriteString(base)
	separator := "?"
	if strings.Contains(base, "?") {
		separator = "&"
		if strings.HasSuffix(base, "?") || strings.HasSuffix(base, "&") {
			separator = ""
		}
	}
	for _, parameter := range query {
		out.WriteString(separator + parameter[0] + "=" + url.QueryEscape(parameter[1]))
		separator = "&"
	}
	if hasFragment {
		out.WriteString("#" + fragment)
	}
	return out.String()
}
