package oauth2

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

const (
	maxToken   = 16 << 10 // bytes
	maxScope   = 8 << 10  // bytes
	maxExpires = 10 * 365 * 24 * time.Hour
)

// codePattern is an error code that may be shown.
var codePattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// tokens is the token endpoint's answer, checked. Its bytes are the answer's.
type tokens struct {
	*answer
	access    []byte
	refresh   []byte // nil: none
	idToken   string // "": none
	scope     string // "": as it was asked for (RFC 6749, section 5.1)
	base      string // of the API; "": the file's
	expiresAt time.Time
}

// exchange exchanges a code for tokens (RFC 6749, section 4.1.3; RFC 7636,
// section 4.5).
func (v *visit) exchange(ctx context.Context, s *server, m memory, code string) (*tokens, error) {
	var asked parameters
	asked.add("grant_type", "authorization_code")
	asked.add("code", code)
	asked.add("redirect_uri", m.RedirectURI)
	if v.config.PKCE != unsupported {
		asked.add("code_verifier", m.Verifier)
	}
	asked.addAll(v.config.Token.Parameters)
	a, err := v.ask(ctx, s, clientRequest{
		endpoint: "token endpoint", address: s.token, format: v.config.Token.Format, header: v.config.Token.Headers, parameters: asked,
	})
	if err != nil {
		return nil, err
	}
	t, err := v.tokens(a)
	if err != nil {
		a.close()
		return nil, err
	}
	return t, nil
}

// transient reports whether the same request may do better another time.
func (a *answer) transient() bool {
	return a.status >= 500 || slices.Contains([]int{http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusTooEarly}, a.status)
}

// tokens checks the token endpoint's answer (RFC 6749, section 5.1).
func (v *visit) tokens(a *answer) (*tokens, error) {
	code := a.errorCode()
	switch {
	case a.transient(), a.blocked():
		return nil, a.unexpected()
	case slices.Contains(refusals, code):
		return nil, &connector.Failure{Code: latchkey.FailureAccessDenied, Reason: a.unexpected().Error()}
	case !a.ok(), code != "":
		return nil, violated("%v", a.unexpected())
	case a.members == nil:
		return nil, violated("%s: the answer is %v", a.endpoint, a.unread)
	}
	how := v.config.Token
	t := &tokens{answer: a}
	t.access = secretAt(a.members, how.AccessToken, "$.access_token")
	t.refresh = secretAt(a.members, how.RefreshToken, "$.refresh_token")
	t.idToken, _ = textOf(a.members["id_token"])
	if !goodToken(t.access) || (t.refresh != nil && !goodToken(t.refresh)) || len(t.idToken) > maxToken {
		return nil, violated("%s: a token is missing, too long or of odd characters", a.endpoint)
	}
	if t.idToken != "" && t.idToken == string(t.access) {
		return nil, violated("%s: the ID token stands in the access token's place", a.endpoint)
	}
	if err := v.checkType(a); err != nil {
		return nil, err
	}
	t.scope = scopeAt(a.members, how.Scope)
	t.expiresAt = v.expiry(a.members)
	var err error
	t.base, err = v.config.API.baseFrom(a.members)
	return t, err
}

// checkType refuses a token that is not used as a bearer token is (RFC 6749,
// section 7.1).
func (v *visit) checkType(a *answer) error {
	kind, told := textOf(a.members["token_type"])
	if !told && v.config.Token.TypeOptional {
		return nil
	}
	for _, good := range append([]string{"Bearer"}, v.config.Token.Types...) {
		if strings.EqualFold(kind, good) {
			return nil
		}
	}
	return violated("%s: the token type is not Bearer", a.endpoint)
}

// secretAt returns a token's own bytes, or nil.
func secretAt(members object, at Path, usual Path) []byte {
	found, _ := Path(orElse(string(at), string(usual))).find(members).(text)
	if len(found) == 0 {
		return nil
	}
	return found
}

// goodToken reports whether a token can stand in a header.
func goodToken(token []byte) bool {
	return len(token) > 0 && len(token) <= maxToken && !slices.ContainsFunc(token, func(c byte) bool { return c <= ' ' || c > '~' })
}

// scopeAt returns the granted scope with spaces between: some servers answer
// with commas or a list.
func scopeAt(members object, at Path) string {
	found := Path(orElse(string(at), "$.scope")).find(members)
	granted := texts(found)
	if single, ok := textOf(found); ok {
		granted = strings.FieldsFunc(single, func(r rune) bool { return r == ' ' || r == ',' })
	}
	scope := strings.Join(granted, " ")
	if len(scope) > maxScope || !printable(scope) {
		return ""
	}
	return scope
}

// expiry returns when the access token expires; zero: never, as far as is
// known.
func (v *visit) expiry(members object) time.Time {
	told, _ := Path(orElse(string(v.config.Token.ExpiresIn), "$.expires_in")).text(members)
	seconds, err := strconv.ParseFloat(told, 64)
	switch {
	case err == nil && seconds > 0 && !math.IsInf(seconds, 0):
		return v.now.Add(time.Duration(min(seconds, maxExpires.Seconds()) * float64(time.Second)))
	case v.config.Token.Lifetime > 0:
		return v.now.Add(v.config.Token.Lifetime)
	}
	return time.Time{}
}

// baseFrom returns the base of the API that the answer names, "" where the
// file does not ask for it.
func (a API) baseFrom(members object) (string, error) {
	if a.BaseURLFrom.Token == "" {
		return "", nil
	}
	told, _ := a.BaseURLFrom.Token.text(members)
	if told == "" {
		return "", nil
	}
	base, err := url.Parse(told)
	if err != nil || safeURL(base, false) != nil || base.RawQuery != "" || base.Port() != "" {
		return "", violated("token endpoint: the base of the API is not an https URL")
	}
	host := strings.ToLower(base.Hostname())
	if !slices.ContainsFunc(a.BaseURLFrom.Domains, func(domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }) {
		return "", violated("token endpoint: the base of the API is not the provider's")
	}
	return strings.TrimSuffix(base.String(), "/") + a.BaseURL, nil
}
