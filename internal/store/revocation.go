package store

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// moveCredential takes the credential out of the connection's row, into a
// revocation that is due at once. A connection without one leaves none.
func moveCredential(tx *tx, connection latchkey.Connection) error {
	snapshot, err := json.Marshal(connection)
	if err != nil {
		return fmt.Errorf("encode connection %s: %w", connection.ID, err)
	}
	_, err = tx.exec(`INSERT INTO revocations (id, connection, credential, attempts, due_at, created_at)
		SELECT $1, $2, credential, 0, $3, $3 FROM connections
		WHERE id = $4 AND version = $5 AND credential IS NOT NULL`,
		latchkey.RevocationID(connection.ID, connection.Version), string(snapshot), micros(connection.UpdatedAt), connection.ID, connection.Version-1)
	if err != nil {
		return fmt.Errorf("keep revocation of %s: %w", connection.ID, err)
	}
	return nil
}

// insertRevocation promises to end a login that became no connection.
func insertRevocation(tx *tx, revocation latchkey.Revocation) error {
	snapshot, err := json.Marshal(revocation.Connection)
	if err != nil {
		return fmt.Errorf("encode connection %s: %w", revocation.Connection.ID, err)
	}
	_, err = tx.exec(`INSERT INTO revocations (id, connection, credential, attempts, due_at, created_at)
		VALUES ($1, $2, $3, 0, $4, $4)`, revocation.ID, string(snapshot), revocation.Credential, micros(revocation.CreatedAt))
	if err != nil {
		return fmt.Errorf("keep revocation %s: %w", revocation.ID, err)
	}
	return nil
}

// KeepRevocation promises to end a login that became no connection, when there
// is no session that says so.
func (s *Store) KeepRevocation(ctx context.Context, revocation latchkey.Revocation) error {
	return s.ending(ctx, func(tx *tx) error { return insertRevocation(tx, revocation) })
}

// ClaimRevocations takes up to limit revocations that are due, for as long as
// the lease; what is not finished by then is due again.
func (s *Store) ClaimRevocations(ctx context.Context, now time.Time, limit int, lease time.Duration,
) ([]latchkey.Revocation, error) {
	var list []latchkey.Revocation
	err := s.ending(ctx, func(tx *tx) error {
		rows, err := tx.rows(`UPDATE revocations SET due_at = $2, attempts = attempts + 1 WHERE id IN (
			SELECT id FROM revocations WHERE due_at <= $1 ORDER BY due_at LIMIT $3`+tx.fragments.skipLocked+`)
			RETURNING id, connection, credential, attempts, due_at, created_at`,
			micros(now), micros(now.Add(lease)), limit)
		list, err = collect(rows, err, scanRevocation)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim revocations: %w", err)
	}
	return list, nil
}

// Revocation takes one revocation for as long as the lease, or answers that
// there is none, or that somebody else has it (both not found).
func (s *Store) Revocation(ctx context.Context, id string, now time.Time, lease time.Duration,
) (latchkey.Revocation, error) {
	var revocation latchkey.Revocation
	err := s.ending(ctx, func(tx *tx) error {
		var err error
		revocation, err = scanRevocation(tx.row(`UPDATE revocations SET due_at = $3, attempts = attempts + 1
			WHERE id = $1 AND due_at <= $2 RETURNING id, connection, credential, attempts, due_at, created_at`,
			id, micros(now), micros(now.Add(lease))))
		if err != nil {
			return orNotFound(err, "revocation")
		}
		return nil
	})
	return revocation, err
}

// FinishRevocation forgets a revocation that is done, and with it the last
// copy of the credential. The receipt of that is written with it, once.
func (s *Store) FinishRevocation(ctx context.Context, id string, receipt latchkey.AuditRecord) error {
	return s.ending(ctx, func(tx *tx) error {
		done, err := tx.exec(`DELETE FROM revocations WHERE id = $1`, id)
		if err != nil {
			return fmt.Errorf("finish revocation %s: %w", id, err)
		}
		if done == 0 {
			return nil
		}
		if err := shredSoon(tx, receipt.OrganisationID, receipt.CreatedAt); err != nil {
			return fmt.Errorf("finish revocation %s: %w", id, err)
		}
		return insertAudit(tx, []latchkey.AuditRecord{receipt})
	})
}

// PostponeRevocation makes a revocation due again later. Receipts, if there are
// any, are written with it.
func (s *Store) PostponeRevocation(ctx context.Context, id string, due time.Time, receipts ...latchkey.AuditRecord) error {
	return s.ending(ctx, func(tx *tx) error {
		later, err := tx.exec(`UPDATE revocations SET due_at = $2 WHERE id = $1`, id, micros(due))
		if err != nil {
			return fmt.Errorf("postpone revocation %s: %w", id, err)
		}
		if later == 0 {
			return nil
		}
		return insertAudit(tx, receipts)
	})
}

func scanRevocation(row scanner) (latchkey.Revocation, error) {
	var revocation latchkey.Revocation
	var snapshot string
	var due, created int64
	err := row.Scan(&revocation.ID, &snapshot, &revocation.Credential, &revocation.Attempts, &due, &created)
	if err != nil {
		return revocation, err
	}
	if err := json.Unmarshal([]byte(snapshot), &revocation.Connection); err != nil {
		return revocation, fmt.Errorf("decode revocation %s: %w", revocation.ID, err)
	}
	revocation.DueAt, revocation.CreatedAt = moment(due), moment(created)
	return revocation, nil
}
