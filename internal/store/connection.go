package store

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"latchkey"
)

const connectionColumns = `id, organisation_id, environment, client_app_id, provider, client_reference_id, status,
	detail, imported, version, event_sequence, expiry_reason, expired_at, last_checked_at, created_at, updated_at`

// connectionDetail is what of a connection is kept as JSON.
type connectionDetail struct {
	User        latchkey.UserData     `json:"user"`
	Permissions []string              `json:"permissions"`
	Metadata    map[string]string     `json:"metadata,omitzero"`
	Geolocation *latchkey.Geolocation `json:"geolocation,omitzero"`
	RateLimit   latchkey.RateLimit    `json:"rateLimit,omitzero"`
	SessionID   string                `json:"sessionId,omitzero"`
	Exit        string                `json:"exit,omitzero"`
}

// Connection returns one connection of the organisation and environment, or a
// not-found error.
func (s *Store) Connection(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.Connection, error) {
	connection, err := scanConnection(s.read().QueryRowContext(ctx, `SELECT `+connectionColumns+` FROM connections
		WHERE id = $1 AND organisation_id = $2 AND environment = $3`, id, organisationID, string(environment)))
	if err != nil {
		return connection, orNotFound(err, "connection")
	}
	return connection, nil
}

// ConnectionByID returns one connection of whichever organisation, or a
// not-found error. It is for a person who has proved to be sent by its app.
func (s *Store) ConnectionByID(ctx context.Context, id string) (latchkey.Connection, error) {
	connection, err := scanConnection(s.read().QueryRowContext(ctx,
		`SELECT `+connectionColumns+` FROM connections WHERE id = $1`, id))
	if err != nil {
		return connection, orNotFound(err, "connection")
	}
	return connection, nil
}

// Connections returns the newest connections that fit the filter, and whether
// there are more.
func (s *Store) Connections(ctx context.Context, filter latchkey.ConnectionFilter) ([]latchkey.Connection, bool, error) {
	imported := -1
	if filter.Imported != nil {
		imported = 0
		if *filter.Imported {
			imported = 1
		}
	}
	rows, err := s.read().QueryContext(ctx, `SELECT `+connectionColumns+` FROM connections
		WHERE organisation_id = $1 AND environment = $2 AND ($3 = '' OR status = $3)
		AND ($4 = '' OR client_reference_id = $4) AND ($5 = '' OR provider = $5)
		AND ($6 < 0 OR imported = ($6 = 1))
		ORDER BY created_at DESC, id DESC LIMIT $7 OFFSET $8`,
		filter.OrganisationID, string(filter.Environment), string(filter.Status), filter.ClientReferenceID,
		filter.Provider, imported, filter.Limit+1, filter.Offset)
	list, err := collect(rows, err, scanConnection)
	if err != nil {
		return nil, false, fmt.Errorf("list connections: %w", err)
	}
	if len(list) > filter.Limit {
		return list[:filter.Limit], true, nil
	}
	return list, false, nil
}

// WriteConnection adds a connection of version 1 or replaces the one of the
// version before, with its credential and what follows, all or none. It fails
// with a *TwinError when the same upstream account is already there.
func (s *Store) WriteConnection(ctx context.Context, connection latchkey.Connection,
	sealed latchkey.SealedCredential, follows latchkey.Consequences,
) error {
	err := s.fact(ctx, func(tx *tx) error {
		if err := writeLinked(tx, connection, sealed); err != nil {
			return err
		}
		return insertConsequences(tx, follows)
	})
	s.wakeFor(err, follows.Events)
	return err
}

// UpdateConnection replaces what an app may set of the connection that was
// read at the version before; its credential and status stay.
func (s *Store) UpdateConnection(ctx context.Context, connection latchkey.Connection) error {
	row, err := newConnectionRow(connection)
	if err != nil {
		return err
	}
	return s.fact(ctx, func(tx *tx) error {
		changed, err := tx.exec(`UPDATE connections SET detail = $3, version = $4, updated_at = $5
			WHERE id = $1 AND version = $2`, row.id, row.version-1, row.detail, row.version, row.updatedAt)
		if err != nil {
			return fmt.Errorf("update connection %s: %w", row.id, err)
		}
		if changed == 0 {
			return conflict("connection")
		}
		return nil
	})
}

// ExpireConnection replaces the connection that was read at the version before
// by the given, expired one, which has lost its credential: that moves to a
// revocation, due at once, unless there was none. The event gets committed
// with it.
func (s *Store) ExpireConnection(ctx context.Context, connection latchkey.Connection, revoke bool,
	event latchkey.Event, record latchkey.AuditRecord,
) error {
	return s.endConnection(ctx, connection, connection.Version, revoke, event, record, func(tx *tx, row *connectionRow) (int64, error) {
		return tx.exec(`UPDATE connections SET status = $3, credential = NULL, previous_credential = NULL,
			credential_expires_at = 0, credential_ends_at = 0, refresh_lease_until = 0, check_due_at = 0, warn_at = 0, version = $4, event_sequence = $5, expiry_reason = $6, expired_at = $7, updated_at = $8
			WHERE id = $1 AND version = $2`, row.id, row.version-1, row.status, row.version, row.eventSequence,
			row.expiryReason, row.expiredAt, row.updatedAt)
	})
}

// RemoveConnection deletes the connection that was read at the version before;
// its credential moves to a revocation, due at once, unless there was none.
func (s *Store) RemoveConnection(ctx context.Context, connection latchkey.Connection,
	event latchkey.Event, record latchkey.AuditRecord,
) error {
	return s.endConnection(ctx, connection, latchkey.RemovedVersion, true, event, record, func(tx *tx, row *connectionRow) (int64, error) {
		return tx.exec(`DELETE FROM connections WHERE id = $1 AND version = $2`, row.id, row.version-1)
	})
}

// endConnection ends a connection for good at a version.
func (s *Store) endConnection(ctx context.Context, connection latchkey.Connection, at int64, revoke bool,
	event latchkey.Event, record latchkey.AuditRecord, end func(*tx, *connectionRow) (int64, error),
) error {
	row, err := newConnectionRow(connection)
	if err != nil {
		return err
	}
	events := []latchkey.Event{event}
	entry := latchkey.JournalEntry{Kind: latchkey.JournalConnection, Subject: connection.ID, Version: at, At: connection.UpdatedAt}
	err = s.ending(ctx, func(tx *tx) error {
		// Taking the row first makes others that end the connection wait, and then lose.
		held, err := tx.exec(`UPDATE connections SET version = version WHERE id = $1 AND version = $2`, row.id, row.version-1)
		if err != nil {
			return fmt.Errorf("take connection %s: %w", row.id, err)
		}
		if held == 0 {
			return conflict("connection")
		}
		if revoke {
			if err := moveCredential(tx, connection); err != nil {
				return err
			}
		}
		if _, err := end(tx, row); err != nil {
			return fmt.Errorf("end connection %s: %w", row.id, err)
		}
		if err := forgetMarks(tx, row.id); err != nil {
			return err
		}
		if err := shredSoon(tx, row.organisationID, connection.UpdatedAt); err != nil {
			return fmt.Errorf("end connection %s: %w", row.id, err)
		}
		if err := appendJournal(tx, entry); err != nil {
			return err
		}
		if err := insertAudit(tx, []latchkey.AuditRecord{record}); err != nil {
			return err
		}
		return insertEvents(tx, events)
	})
	s.tellRevoked(err, entry)
	s.wakeFor(err, events)
	return err
}

// connectionRow is a connection as it is bound to statements.
type connectionRow struct {
	id, organisationID, environment, clientAppID, provider, clientReferenceID, status, detail, expiryReason string
	imported                                                                                                bool
	version, eventSequence, expiredAt, lastCheckedAt, createdAt, updatedAt                                  int64
}

func newConnectionRow(connection latchkey.Connection) (*connectionRow, error) {
	detail, err := json.Marshal(connectionDetail{
		connection.User, connection.Permissions, connection.Metadata, connection.Geolocation,
		connection.RateLimit, connection.SessionID, connection.Exit,
	})
	if err != nil {
		return nil, fmt.Errorf("encode connection %s: %w", connection.ID, err)
	}
	return &connectionRow{
		id: connection.ID, organisationID: connection.OrganisationID, environment: string(connection.Environment),
		clientAppID: connection.ClientAppID, provider: connection.Provider,
		clientReferenceID: connection.ClientReferenceID, status: string(connection.Status), detail: string(detail),
		imported: connection.Imported, version: connection.Version, eventSequence: connection.EventSequence,
		expiryReason: connection.ExpiryReason, expiredAt: micros(connection.ExpiredAt),
		lastCheckedAt: micros(connection.LastCheckedAt), createdAt: micros(connection.CreatedAt),
		updatedAt: micros(connection.UpdatedAt),
	}, nil
}

// values returns the row in the order of connectionColumns.
func (r *connectionRow) values() []any {
	return []any{
		r.id, r.organisationID, r.environment, r.clientAppID, r.provider, r.clientReferenceID, r.status, r.detail,
		r.imported, r.version, r.eventSequence, r.expiryReason, r.expiredAt, r.lastCheckedAt, r.createdAt, r.updatedAt,
	}
}

func scanConnection(row scanner) (latchkey.Connection, error) {
	return scanConnectionAnd(row)
}

// scanConnectionAnd scans connectionColumns and what is selected after them.
func scanConnectionAnd(row scanner, more ...any) (latchkey.Connection, error) {
	var connection latchkey.Connection
	var environment, status, encoded string
	var expired, checked, created, updated int64
	err := row.Scan(append([]any{
		&connection.ID, &connection.OrganisationID, &environment, &connection.ClientAppID,
		&connection.Provider, &connection.ClientReferenceID, &status, &encoded, &connection.Imported,
		&connection.Version, &connection.EventSequence, &connection.ExpiryReason, &expired, &checked, &created, &updated,
	}, more...)...)
	if err != nil {
		return connection, err
	}
	var detail connectionDetail
	if err := json.Unmarshal([]byte(encoded), &detail); err != nil {
		return connection, fmt.Errorf("decode connection %s: %w", connection.ID, err)
	}
	connection.Environment, connection.Status = latchkey.Environment(environment), latchkey.ConnectionStatus(status)
	connection.User, connection.Permissions = detail.User, detail.Permissions
	connection.Metadata, connection.Geolocation = detail.Metadata, detail.Geolocation
	connection.RateLimit, connection.SessionID, connection.Exit = detail.RateLimit, detail.SessionID, detail.Exit
	connection.ExpiredAt, connection.LastCheckedAt = moment(expired), moment(checked)
	connection.CreatedAt, connection.UpdatedAt = moment(created), moment(updated)
	return connection, nil
}
