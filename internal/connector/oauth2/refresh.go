package oauth2

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"latchkey/internal/connector"
)

// Refresh renews the access token (RFC 6749, section 6). The error is an
// ErrDead only when the server says that the refresh token is no longer good,
// or when there is none: a server that is down, busy or refuses the client
// leaves the connection alive.
func (c *Connector) Refresh(ctx context.Context, access connector.Access) (connector.Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	held, err := openCredential(access.Credential)
	if err != nil {
		return connector.Credential{}, fmt.Errorf("refresh: %w", err)
	}
	defer held.close()
	if held.Refresh.Empty() || c.config.Refresh.Unsupported {
		return connector.Credential{}, fmt.Errorf("refresh: there is no refresh token: %w", &connector.Dead{Reason: connector.DeadSession})
	}
	v := &visit{Connector: c, http: access.HTTP, now: access.Now}
	renewed, err := v.refresh(ctx, held)
	if err != nil {
		return connector.Credential{}, fmt.Errorf("refresh: %w", err)
	}
	return renewed, nil
}

// refresh sends the refresh token.
func (v *visit) refresh(ctx context.Context, held *credential) (connector.Credential, error) {
	none := connector.Credential{}
	s, err := v.server(ctx)
	if err != nil {
		return none, err
	}
	asked := parameters{{"grant_type", []byte("refresh_token")}, {"refresh_token", held.Refresh.Reveal()}}
	asked.addAll(v.config.Refresh.Parameters)
	a, err := v.ask(ctx, s, clientRequest{
		endpoint: "token endpoint", address: orElse(v.config.Refresh.Endpoint, s.token),
		format: v.config.Token.Format, header: v.config.Token.Headers, parameters: asked,
	})
	if err != nil {
		return none, err
	}
	defer a.close()
	code := a.errorCode()
	if !a.transient() && (code == "invalid_grant" || (code != "" && slices.Contains(v.config.Refresh.DeadErrors, code))) {
		return none, fmt.Errorf("%w: %w", a.unexpected(), &connector.Dead{Reason: connector.DeadRevoked})
	}
	t, err := v.tokens(a)
	if err != nil {
		return none, plain(err)
	}
	if t.idToken != "" && held.Subject != "" {
		if err := v.sameSubject(t.idToken, held.Subject); err != nil {
			return none, err
		}
	}
	renewed := *held
	renewed.Scope = orElse(t.scope, held.Scope)
	renewed.Base = orElse(t.base, held.Base)
	return renewed.renew(t)
}

// plain returns an error that ends no login: there is none.
func plain(err error) error {
	if failure, ok := errors.AsType[*connector.Failure](err); ok {
		return errors.New(failure.Reason)
	}
	return err
}
