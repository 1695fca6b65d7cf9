package store

import (
	"context"
	"fmt"
	"time"

	"latchkey"
)

// Credential returns a connection with its sealed credential, or a not-found
// error. The bytes are nil when the connection has none.
func (s *Store) Credential(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.Connection, latchkey.SealedCredential, error) {
	var sealed latchkey.SealedCredential
	var expires int64
	var suspended bool
	connection, err := scanConnectionAnd(s.read().QueryRowContext(ctx, `SELECT `+connectionColumns+`, credential,
		credential_expires_at, COALESCE((SELECT suspended FROM client_apps WHERE client_apps.id = connections.client_app_id), FALSE)
		FROM connections WHERE id = $1 AND organisation_id = $2 AND environment = $3`,
		id, organisationID, string(environment)), &sealed.Bytes, &expires, &suspended)
	if err != nil {
		return connection, sealed, orNotFound(err, "connection")
	}
	sealed.ExpiresAt, connection.AppSuspended = moment(expires), suspended
	return connection, sealed, nil
}

// ReplaceCredential keeps a changed credential of the connection read at
// version, and ends any refresh lease. A conflict means that the connection
// has changed meanwhile and the credential was not kept.
func (s *Store) ReplaceCredential(ctx context.Context, connection latchkey.Connection,
	sealed latchkey.SealedCredential, now time.Time,
) error {
	return s.fact(ctx, func(tx *tx) error {
		changed, err := tx.exec(`UPDATE connections SET credential = $3, credential_expires_at = $4,
			refresh_lease_until = 0, version = version + 1, updated_at = $5
			WHERE id = $1 AND version = $2 AND status = 'active'`,
			connection.ID, connection.Version, sealed.Bytes, micros(sealed.ExpiresAt), micros(now))
		if err != nil {
			return fmt.Errorf("replace credential of %s: %w", connection.ID, err)
		}
		if changed == 0 {
			return conflict("connection")
		}
		return nil
	})
}

// LeaseRefresh gives one caller, on one replica, the right to refresh the
// credential of the connection read at version, until the lease ends. The
// others get a conflict.
func (s *Store) LeaseRefresh(ctx context.Context, connection latchkey.Connection, now, until time.Time) error {
	return s.fact(ctx, func(tx *tx) error {
		changed, err := tx.exec(`UPDATE connections SET refresh_lease_until = $3
			WHERE id = $1 AND version = $2 AND refresh_lease_until <= $4`,
			connection.ID, connection.Version, micros(until), micros(now))
		if err != nil {
			return fmt.Errorf("lease refresh of %s: %w", connection.ID, err)
		}
		if changed == 0 {
			return conflict("connection")
		}
		return nil
	})
}
