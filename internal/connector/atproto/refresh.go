package atproto

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"latchkey/internal/connector"
	"latchkey/internal/connector/jsonapi"
)

// Refresh exchanges the session's tokens for new ones. The error wraps
// connector.ErrDead when the PDS no longer accepts the refresh token.
func (c *Connector) Refresh(ctx context.Context, access connector.Access) (connector.Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	kept, err := c.readCredential(access.Credential)
	if err != nil {
		return connector.Credential{}, fmt.Errorf("refresh: %w", err)
	}
	defer kept.zero()
	made, err := c.refreshSession(ctx, access.HTTP, kept)
	if err != nil {
		return connector.Credential{}, fmt.Errorf("refresh: %w", err)
	}
	defer made.zero()
	fresh := credentialOf(account{DID: kept.DID, Handle: kept.Handle, PDS: kept.pds}, made)
	if made.Handle != kept.Handle && c.isHandle(made.Handle) && c.owns(ctx, access.HTTP, made.Handle, kept.DID) {
		fresh.Handle = made.Handle
	}
	secret, err := fresh.encode()
	if err != nil {
		return connector.Credential{}, fmt.Errorf("refresh: %w", err)
	}
	return connector.Credential{Secret: secret, ExpiresAt: expiryOf(made.Access.Reveal(), access.Now)}, nil
}

// refreshSession calls the PDS.
func (c *Connector) refreshSession(ctx context.Context, client *http.Client, kept credential) (session, error) {
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		Method: http.MethodPost, URL: method(kept.pds, "com.atproto.server.refreshSession"),
		Bearer: kept.Refresh.Reveal(), Limit: maxSession,
	})
	if err != nil {
		return session{}, err
	}
	defer answer.Clear()
	if !answer.OK() {
		if err := dead(faultOf(answer)); err != nil {
			return session{}, err
		}
		return session{}, answer.Unexpected()
	}
	made, err := readSession(answer)
	if err == nil && made.DID != kept.DID {
		made.zero()
		return session{}, errors.New("the PDS answered for another account")
	}
	return made, err
}

// owns reports whether handle and DID name each other.
func (c *Connector) owns(ctx context.Context, client *http.Client, handle, did string) bool {
	found, err := c.find(ctx, client, identifier{handle: handle})
	return err == nil && found.DID == did
}

// Revoke deletes the session.
func (c *Connector) Revoke(ctx context.Context, access connector.Access) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	kept, err := c.readCredential(access.Credential)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	defer kept.zero()
	if err := c.deleteSession(ctx, access.HTTP, kept.pds, kept.Refresh.Reveal()); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	return nil
}
