package oauth2

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/url"
	"slices"

	"latchkey"
	"latchkey/internal/connector"
)

// maxCode bounds an authorization code, in bytes.
const maxCode = 4096

// refusals are the error codes by which providers say that the person, or
// their policy, refused.
var refusals = []string{
	"access_denied", "user_denied", "user_cancelled_login", "user_cancelled_authorize", "user_cancelled", "consent_required",
}

// callback takes the person back from the provider: it checks the answer, and
// exchanges its code.
func (v *visit) callback(ctx context.Context, flow connector.Flow, query url.Values) (connector.Step, error) {
	m, err := remember(flow.State)
	if err != nil {
		return nil, err
	}
	if err := checkState(flow.RedirectState, query); err != nil {
		return nil, err
	}
	s, err := v.server(ctx)
	if err != nil {
		return nil, err
	}
	code, err := checkAnswer(s, query)
	if err != nil {
		return nil, err
	}
	t, err := v.exchange(ctx, s, m, code)
	if err != nil {
		return nil, err
	}
	defer t.close()
	return v.done(ctx, s, m, t)
}

// checkState refuses an answer that is not to this login's request (RFC 6749,
// section 10.12), or that says something twice (section 3.1).
func checkState(state string, query url.Values) error {
	for name, values := range query {
		if len(values) != 1 {
			return violated("callback: a parameter is given twice: %s", shownCode(name))
		}
	}
	if state == "" || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(state)) != 1 {
		return violated("callback: the state is not this login's")
	}
	return nil
}

// checkAnswer checks who has answered (RFC 9207) and what (RFC 6749, section
// 4.1.2), and returns the code.
func checkAnswer(s *server, query url.Values) (string, error) {
	if named := query.Has("iss"); named || s.issuerInResponse {
		switch {
		case !named:
			return "", violated("callback: the issuer is missing (RFC 9207)")
		case s.issuer != "" && query.Get("iss") != s.issuer:
			return "", violated("callback: another issuer has answered (RFC 9207)")
		}
	}
	code := query.Get("code")
	switch failed := query.Get("error"); {
	case failed != "" && code != "":
		return "", violated("callback: both a code and an error")
	case slices.Contains(refusals, failed):
		return "", &connector.Failure{Code: latchkey.FailureAccessDenied, Reason: "callback: " + failed}
	case failed != "":
		return "", violated("callback: error %s", shownCode(failed))
	case code == "" || len(code) > maxCode || !printable(code):
		return "", violated("callback: no usable code")
	case query.Has("access_token") || query.Has("id_token"):
		return "", violated("callback: a token where only a code belongs")
	}
	return code, nil
}

// shownCode returns an error code if it is one, for the operator: what stands
// in a URL may be anything.
func shownCode(code string) string {
	if !codePattern.MatchString(code) {
		return "(not of the usual form)"
	}
	return code
}

// done reads who the person is and ends the login.
func (v *visit) done(ctx context.Context, s *server, m memory, t *tokens) (connector.Step, error) {
	who, err := v.identify(ctx, s, m, t)
	if err != nil {
		return nil, err
	}
	kept := credential{facts: facts{
		Asked: m.Scope, Scope: orElse(t.scope, m.Scope), Subject: who.subject, User: who.user, Base: t.base,
	}}
	encoded, err := kept.renew(t)
	if err != nil {
		return nil, fmt.Errorf("encode the credential: %w", err)
	}
	return connector.Done{User: who.user, Credential: encoded}, nil
}
