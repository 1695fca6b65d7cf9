package matrix

import (
	"context"
	"fmt"
	"net/http"

	"latchkey/internal/connector"
	"latchkey/internal/connector/jsonapi"
)

// Refresh exchanges the session's tokens for new ones. The error wraps
// connector.ErrDead when the homeserver no longer accepts the refresh token, or
// has never given one.
func (c *Connector) Refresh(ctx context.Context, access connector.Access) (connector.Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	kept, err := c.readCredential(access.Credential)
	if err != nil {
		return connector.Credential{}, fmt.Errorf("refresh: %w", err)
	}
	defer kept.zero()
	made, err := c.refresh(ctx, access.HTTP, kept)
	if err != nil {
		return connector.Credential{}, fmt.Errorf("refresh: %w", err)
	}
	defer made.zero()
	fresh := kept
	fresh.Access = made.Access
	if !made.Refresh.Empty() {
		fresh.Refresh = made.Refresh
	}
	secret, err := fresh.encode()
	if err != nil {
		return connector.Credential{}, fmt.Errorf("refresh: %w", err)
	}
	return connector.Credential{Secret: secret, ExpiresAt: made.expiry(access.Now)}, nil
}

// refresh calls the homeserver.
func (c *Connector) refresh(ctx context.Context, client *http.Client, kept credential) (session, error) {
	if kept.Refresh.Empty() {
		return session{}, &connector.Dead{Reason: connector.DeadSession}
	}
	encoded, err := new(jsonapi.Object).Text("refresh_token", kept.Refresh.Reveal()).Bytes()
	if err != nil {
		return session{}, err
	}
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		Method: http.MethodPost, URL: endpoint(kept.base, "v3", "refresh"), Body: encoded,
	})
	if err != nil {
		return session{}, err
	}
	defer answer.Clear()
	if !answer.OK() {
		if told := faultOf(answer); told.Code == codeUnknownToken {
			return session{}, deadOf(told)
		}
		return session{}, answer.Unexpected()
	}
	return readSession(answer)
}

// deadOf returns why a token is unknown: a soft logout is the homeserver's, at
// the end of a session's time; otherwise somebody has logged the device out
// (client-server API, "Soft logout").
func deadOf(told fault) error {
	if told.SoftLogout {
		return &connector.Dead{Reason: connector.DeadSession}
	}
	return &connector.Dead{Reason: connector.DeadRevoked}
}

// Revoke logs the device out. An access token that has served its time is
// renewed for it, since the device would stay behind without.
func (c *Connector) Revoke(ctx context.Context, access connector.Access) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	kept, err := c.readCredential(access.Credential)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	defer kept.zero()
	known, err := c.logout(ctx, access.HTTP, kept)
	if err != nil || known || kept.Refresh.Empty() {
		return wrap("revoke", err)
	}
	made, err := c.refresh(ctx, access.HTTP, kept)
	if isDead(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	defer made.zero()
	kept.Access.Zero()
	kept.Access = made.Access
	_, err = c.logout(ctx, access.HTTP, kept)
	return wrap("revoke", err)
}

// logout ends the session of an access token, and reports whether it was known.
func (c *Connector) logout(ctx context.Context, client *http.Client, kept credential) (known bool, err error) {
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		Method: http.MethodPost, URL: endpoint(kept.base, "v3", "logout"), Bearer: kept.Access.Reveal(), Body: []byte("{}"),
	})
	switch {
	case err != nil:
		return false, err
	case answer.OK():
		return true, nil
	case faultOf(answer).Code == codeUnknownToken:
		return false, nil
	}
	return false, answer.Unexpected()
}
