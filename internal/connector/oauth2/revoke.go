package oauth2

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"latchkey/internal/connector"
)

// Revoke ends the tokens at the provider: the refresh token first, so that no
// new access token can come of it (RFC 7009). A provider that has no
// revocation is done at once: the token is forgotten here, and there ends by
// itself.
func (c *Connector) Revoke(ctx context.Context, access connector.Access) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	held, err := openCredential(access.Credential)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	defer held.close()
	if c.config.Revocation.Unsupported {
		return nil
	}
	v := &visit{Connector: c, http: access.HTTP, now: access.Now}
	s, err := v.server(ctx)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	if s.revocation == "" {
		return nil
	}
	for _, kind := range c.config.Revocation.kinds() {
		token := held.Access.Reveal()
		if kind == "refresh_token" {
			token = held.Refresh.Reveal()
		}
		if len(token) == 0 {
			continue
		}
		if err := v.revoke(ctx, s, held, kind, token); err != nil {
			return fmt.Errorf("revoke the %s: %w", kind, err)
		}
	}
	return nil
}

// kinds returns the tokens to revoke, in order.
func (r Revocation) kinds() []string {
	if len(r.Tokens) > 0 {
		return r.Tokens
	}
	return []string{"refresh_token", "access_token"}
}

// parameters returns what names the token. The hint is RFC 7009's: an endpoint
// with a parameter of its own may refuse what it does not know.
func (r Revocation) parameters(kind string, token []byte) parameters {
	switch r.TokenParameter {
	case noParameter:
		return nil
	case "", "token":
		return parameters{{"token", token}, {"token_type_hint", []byte(kind)}}
	}
	return parameters{{r.TokenParameter, token}}
}

// revoke ends one token.
func (v *visit) revoke(ctx context.Context, s *server, held *credential, kind string, token []byte) error {
	how := v.config.Revocation
	q := clientRequest{
		endpoint: "revocation endpoint", address: s.revocation, method: how.Method, format: how.Format,
		header: v.config.Token.Headers, parameters: how.parameters(kind, token),
	}
	var a *answer
	var err error
	switch how.Authorization {
	case "access_token":
		out := v.authorised("", "", Request{Headers: q.header}, held.Access.Reveal())
		a, err = v.send(ctx, q, q.parameters, out.header)
	case "none":
		a, err = v.send(ctx, q, q.parameters, q.headers())
	default:
		a, err = v.ask(ctx, s, q)
	}
	if err != nil {
		return err
	}
	defer a.close()
	if a.ok() || how.over(a) {
		return nil
	}
	return a.unexpected()
}

// over reports whether an answer means that nothing is left to do: the token
// was dead before, or is of a kind that can't be revoked (RFC 7009, section
// 2.2.1).
func (r Revocation) over(a *answer) bool {
	if a.transient() {
		return false
	}
	gone := []string{"unsupported_token_type", "invalid_token", "invalid_grant", "token_revoked", "token_expired"}
	return slices.Contains(gone, a.errorCode()) || slices.Contains(r.Ended, a.status) ||
		(r.Authorization == "access_token" && a.status == http.StatusUnauthorized)
}
