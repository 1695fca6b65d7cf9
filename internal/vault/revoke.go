package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// revokeTimeout bounds how long a provider may take to end a credential.
const revokeTimeout = 20 * time.Second

// Revoke ends a credential at its provider, and reports whether the provider
// knows a way to do so: without one there is nothing to try again. After any
// error it should be tried again.
func (v *Vault) Revoke(ctx context.Context, revocation latchkey.Revocation) (revocable bool, err error) {
	connection := revocation.Connection
	provider, ok := v.config.Connector(connection.Provider)
	if !ok {
		return true, fmt.Errorf("revoke %s: provider %s is not served here", connection.ID, connection.Provider)
	}
	revoker, ok := provider.(connector.Revoker)
	if !ok {
		return false, nil
	}
	if err := v.audit(ctx, connection, system, PurposeRevoke); err != nil {
		return true, err
	}
	secret, err := v.config.Keys.Open(credentialBinding(connection.OrganisationID, connection.ID), revocation.Credential)
	if err != nil {
		return true, fmt.Errorf("open credential of %s: %w", connection.ID, err)
	}
	defer clear(secret)
	ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	err = revoker.Revoke(ctx, connector.Access{
		ConnectionID: connection.ID, Credential: secret, HTTP: v.config.Client(connection), Now: v.config.Now(),
	})
	if errors.Is(err, connector.ErrNoRevocation) {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("revoke %s at %s: %w", connection.ID, connection.Provider, err)
	}
	return true, nil
}
