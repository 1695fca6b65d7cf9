package vault

import (
	"context"
	"fmt"

	"latchkey"
	"latchkey/internal/connector"
)

// Revoke ends a credential at its provider. It is nil also when the provider
// knows no way to do so; after any error it should be tried again.
func (v *Vault) Revoke(ctx context.Context, revocation latchkey.Revocation) error {
	connection := revocation.Connection
	provider, ok := v.config.Connector(connection.Provider)
	if !ok {
		return fmt.Errorf("revoke %s: provider %s is not served here", connection.ID, connection.Provider)
	}
	revoker, ok := provider.(connector.Revoker)
	if !ok {
		return nil
	}
	if err := v.audit(ctx, connection, system, PurposeRevoke); err != nil {
		return err
	}
	secret, err := v.config.Ring.Open(credentialBinding(connection.OrganisationID, connection.ID), revocation.Credential)
	if err != nil {
		return fmt.Errorf("open credential of %s: %w", connection.ID, err)
	}
	defer clear(secret)
	err = revoker.Revoke(ctx, connector.Access{
		ConnectionID: connection.ID, Credential: secret, HTTP: v.config.Client(connection), Now: v.config.Now(),
	})
	if err != nil {
		return fmt.Errorf("revoke %s at %s: %w", connection.ID, connection.Provider, err)
	}
	return nil
}
