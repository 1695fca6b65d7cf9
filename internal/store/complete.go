package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"latchkey"
)

// TwinError says that the upstream account is already linked with the same
// reference, or that the connection to be renewed has another version: the
// caller should seal the credential for Existing and complete again.
type TwinError struct{ Existing latchkey.Connection }

// Error tells which connection is there already.
func (e *TwinError) Error() string { return "the account is already linked as " + e.Existing.ID }

// Twin returns the connection that stands in the way.
func (e *TwinError) Twin() latchkey.Connection { return e.Existing }

// CompleteLink ends a session in a connection: the session, the connection
// with its credential, and what follows, all or none. A
// connection of version 1 is new; any other replaces the one of the version
// before. Events of the connection get the next number of its sequence.
//
// It fails with a conflict when the session has moved on, and with a
// *TwinError when the same upstream account is already there.
func (s *Store) CompleteLink(ctx context.Context, session *latchkey.LinkSession, version int64,
	connection latchkey.Connection, sealed latchkey.SealedCredential, follows latchkey.Consequences,
) error {
	row, err := nextSessionRow(session)
	if err != nil {
		return err
	}
	row.readVersion = version
	err = s.fact(ctx, func(tx *tx) error {
		if err := advanceSession(tx, row); err != nil {
			return err
		}
		if err := writeLinked(tx, connection, sealed); err != nil {
			return err
		}
		return insertConsequences(tx, follows)
	})
	s.wakeFor(err, follows.Events)
	return err
}

// writeLinked inserts a new connection or replaces the one before it.
func writeLinked(tx *tx, connection latchkey.Connection, sealed latchkey.SealedCredential) error {
	row, err := newConnectionRow(connection)
	if err != nil {
		return err
	}
	var changed int64
	if connection.Version == 1 {
		changed, err = tx.exec(`INSERT INTO connections (`+connectionColumns+`, upstream_id, credential,
			credential_expires_at, credential_ends_at, warn_at, check_due_at, refresh_lease_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, 0)
			ON CONFLICT (organisation_id, environment, provider, upstream_id, client_reference_id) DO NOTHING`,
			append(row.values(), connection.User.ID, sealed.Bytes, micros(sealed.ExpiresAt), micros(sealed.EndsAt),
				micros(sealed.WarnAt), micros(sealed.CheckAt))...)
	} else {
		changed, err = tx.exec(`UPDATE connections SET status = $2, detail = $3, credential = $4,
			credential_expires_at = $5, refresh_lease_until = 0, version = $6, event_sequence = $7,
			expiry_reason = '', expired_at = 0, last_checked_at = $10, updated_at = $8, previous_credential = NULL,
			restored = FALSE, credential_ends_at = $11, warn_at = $12, check_due_at = $13, check_lease_until = 0, check_failures = 0
			WHERE id = $1 AND version = $9`,
			row.id, row.status, row.detail, sealed.Bytes, micros(sealed.ExpiresAt), row.version, row.eventSequence,
			row.updatedAt, row.version-1, row.lastCheckedAt, micros(sealed.EndsAt), micros(sealed.WarnAt), micros(sealed.CheckAt))
	}
	if err != nil {
		return fmt.Errorf("write connection %s: %w", connection.ID, err)
	}
	if changed == 1 {
		return markCredential(tx, connection.ID, sealed.Bytes)
	}
	return findTwin(tx, connection)
}

// findTwin explains why a connection could not be written.
func findTwin(tx *tx, connection latchkey.Connection) error {
	existing, err := scanConnection(tx.row(`SELECT `+connectionColumns+` FROM connections
		WHERE organisation_id = $1 AND environment = $2 AND provider = $3 AND upstream_id = $4
		AND client_reference_id = $5`, connection.OrganisationID, string(connection.Environment),
		connection.Provider, connection.User.ID, connection.ClientReferenceID))
	if errors.Is(err, sql.ErrNoRows) {
		return conflict("connection")
	}
	if err != nil {
		return fmt.Errorf("find the account's connection: %w", err)
	}
	return &TwinError{Existing: existing}
}
