package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"latchkey"
)

// Credential returns a connection with its sealed credential, or a not-found
// error. The bytes are nil when the connection has none. What is returned is
// shared with other callers: it is to be read only.
func (s *Store) Credential(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.Connection, latchkey.SealedCredential, error) {
	memory := s.memories.credentials
	known, ok, changes := memory.get(id)
	if ok && known.connection.OrganisationID == organisationID && known.connection.Environment == environment {
		return known.connection, known.sealed, nil
	}
	connection, sealed, err := s.loadCredential(ctx, organisationID, environment, id)
	if err == nil {
		memory.keep(id, knownCredential{connection, sealed}, changes)
	}
	return connection, sealed, err
}

func (s *Store) loadCredential(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.Connection, latchkey.SealedCredential, error) {
	var found knownCredential
	var err error
	if grouped := s.engine.batches(); grouped != nil {
		s.reads.Add(1)
		question := &credentialQuestion{id: id}
		err = grouped.credentialsFound.do(ctx, question)
		found = question.found
	} else {
		found, err = scanCredential(s.read().QueryRowContext(ctx, credentialQuery+`id = $1`, id))
	}
	if err == nil && (found.connection.OrganisationID != organisationID || found.connection.Environment != environment) {
		err = sql.ErrNoRows
	}
	if err != nil {
		return latchkey.Connection{}, latchkey.SealedCredential{}, orNotFound(err, "connection")
	}
	return found.connection, found.sealed, nil
}

// credentialQuery reads connections with their credentials.
const credentialQuery = `SELECT ` + connectionColumns + `, credential,
	credential_expires_at, credential_ends_at, refresh_lease_until, previous_credential IS NOT NULL,
	COALESCE((SELECT suspended FROM client_apps WHERE client_apps.id = connections.client_app_id), FALSE),
	(SELECT digest FROM credential_marks WHERE connection_id = connections.id)
	FROM connections WHERE `

func scanCredential(row scanner) (knownCredential, error) {
	var found knownCredential
	var expires, ends, begun int64
	var suspended bool
	var err error
	sealed := &found.sealed
	found.connection, err = scanConnectionAnd(row, &sealed.Bytes, &expires, &ends, &begun, &sealed.Unproved, &suspended, &sealed.Digest)
	sealed.ExpiresAt, sealed.EndsAt, sealed.RefreshBegun = moment(expires), moment(ends), moment(begun)
	found.connection.AppSuspended = suspended
	return found, err
}

// ReplaceCredential keeps what an answer of the provider changed of the
// credential of the connection read at version. A conflict means that the
// connection has changed meanwhile and the credential was not kept.
func (s *Store) ReplaceCredential(ctx context.Context, connection latchkey.Connection,
	sealed latchkey.SealedCredential, now time.Time,
) error {
	mark := func(tx *tx) error { return markCredential(tx, connection.ID, sealed.Bytes) }
	return s.markedChange(ctx, connection, "replace credential", mark, `UPDATE connections SET credential = $3,
		credential_expires_at = $4, version = version + 1, updated_at = $5
		WHERE id = $1 AND version = $2 AND status = 'active'`,
		connection.ID, connection.Version, sealed.Bytes, micros(sealed.ExpiresAt), micros(now))
}

// ProveCredential forgets the credential before the one of the connection read
// at version, since that one works. It is no change of the connection.
func (s *Store) ProveCredential(ctx context.Context, connection latchkey.Connection) error {
	return s.changeCredential(ctx, s.ending, connection, "prove credential", `UPDATE connections SET previous_credential = NULL
		WHERE id = $1 AND version = $2`, connection.ID, connection.Version)
}

// RestoreCredential goes back to the credential before the one of the
// connection read at version, which must be refreshed before it is used, and
// makes a check due. A conflict means that there is none, or that the connection has changed.
func (s *Store) RestoreCredential(ctx context.Context, connection latchkey.Connection, now time.Time) error {
	mark := func(tx *tx) error { return markRestored(tx, connection.ID) }
	return s.markedChange(ctx, connection, "restore credential", mark, `UPDATE connections SET
		credential = previous_credential, previous_credential = NULL, restored = TRUE, credential_expires_at = $3, check_due_at = $3,
		version = version + 1, updated_at = $3
		WHERE id = $1 AND version = $2 AND status = 'active' AND previous_credential IS NOT NULL`,
		connection.ID, connection.Version, micros(now))
}

// LeaseRefresh gives one caller, on one replica, the right to refresh the
// credential of the connection read at version, until the lease ends. The
// others get a conflict. A lease that is over and still there tells of a
// refresh that was begun and cut short.
func (s *Store) LeaseRefresh(ctx context.Context, connection latchkey.Connection, now, until time.Time) error {
	return s.changeCredential(ctx, s.statement, connection, "lease refresh", `UPDATE connections SET refresh_lease_until = $3
		WHERE id = $1 AND version = $2 AND status = 'active' AND refresh_lease_until <= $4`,
		connection.ID, connection.Version, micros(until), micros(now))
}

// RefreshCredential keeps what a refresh under the lease brought, and ends the
// lease. The credential before stays beside it until the new one is proved,
// unless it was restored already; a warning that was given of the same end is
// not given again. A conflict means that the lease is another's, or the
// connection has ended or was linked anew; other changes of the connection
// don't matter.
func (s *Store) RefreshCredential(ctx context.Context, connection latchkey.Connection, until time.Time,
	sealed latchkey.SealedCredential, now time.Time,
) error {
	mark := func(tx *tx) error { return markRefreshed(tx, connection.ID, sealed.Bytes) }
	return s.markedChange(ctx, connection, "refresh credential", mark, `UPDATE connections SET
		previous_credential = CASE WHEN restored THEN NULL ELSE credential END, restored = FALSE, credential = $3, credential_expires_at = $4, credential_ends_at = $5,
		warn_at = CASE WHEN credential_ends_at = $5 THEN warn_at ELSE $6 END, refresh_lease_until = 0, version = version + 1, updated_at = $7
		WHERE id = $1 AND refresh_lease_until = $2 AND status = 'active'`,
		connection.ID, micros(until), sealed.Bytes, micros(sealed.ExpiresAt), micros(sealed.EndsAt), micros(sealed.WarnAt),
		micros(now))
}

// ReleaseRefresh ends a lease whose refresh brought nothing: the next caller
// may try at once. A lease that is another's by now stays.
func (s *Store) ReleaseRefresh(ctx context.Context, connection latchkey.Connection, until time.Time) error {
	return s.changeCredential(ctx, s.ending, connection, "release refresh", `UPDATE connections SET refresh_lease_until = 0
		WHERE id = $1 AND refresh_lease_until = $2`, connection.ID, micros(until))
}

// factWriter is fact, statement or ending.
type factWriter func(ctx context.Context, run func(tx *tx) error) error

// changeCredential runs a fact of one statement about one connection, and
// answers with a conflict when it changed nothing.
func (s *Store) changeCredential(ctx context.Context, write factWriter, connection latchkey.Connection,
	what, query string, args ...any,
) error {
	return write(ctx, func(tx *tx) error { return changeConnection(tx, connection, what, query, args...) })
}

// markedChange is an ending changeCredential with the mark of the other
// credential.
func (s *Store) markedChange(ctx context.Context, connection latchkey.Connection, what string, mark func(*tx) error,
	query string, args ...any,
) error {
	return s.ending(ctx, func(tx *tx) error {
		if err := changeConnection(tx, connection, what, query, args...); err != nil {
			return err
		}
		return mark(tx)
	})
}

func changeConnection(tx *tx, connection latchkey.Connection, what, query string, args ...any) error {
	changed, err := tx.exec(query, args...)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", what, connection.ID, err)
	}
	if changed == 0 {
		return conflict("connection")
	}
	return nil
}
