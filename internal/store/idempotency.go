package store

import (
	"context"
	"fmt"
	"time"

	"latchkey"
)

// CreateLinkSessionOnce keeps a new session and what its init is recognised
// by, unless the same key was used after since: then nothing is written and
// what was kept before is returned.
func (s *Store) CreateLinkSessionOnce(ctx context.Context, session *latchkey.LinkSession,
	key latchkey.IdempotencyKey, since time.Time,
) (*latchkey.IdempotencyKey, error) {
	row, err := newSessionRow(session)
	if err != nil {
		return nil, err
	}
	var before *latchkey.IdempotencyKey
	err = s.fact(ctx, func(tx *tx) error {
		before = nil
		kept, err := keepIdempotencyKey(tx, key, since)
		if err != nil {
			return err
		}
		if kept {
			return insertSession(tx, row)
		}
		found := latchkey.IdempotencyKey{
			OrganisationID: key.OrganisationID, Environment: key.Environment, KeyHash: key.KeyHash,
		}
		var created int64
		err = tx.row(`SELECT body_hash, session_id, answer, created_at FROM idempotency_keys
			WHERE organisation_id = $1 AND environment = $2 AND key_hash = $3`,
			key.OrganisationID, string(key.Environment), key.KeyHash).
			Scan(&found.BodyHash, &found.SessionID, &found.Answer, &created)
		if err != nil {
			return fmt.Errorf("read idempotency key: %w", err)
		}
		found.CreatedAt, before = moment(created), &found
		return nil
	})
	return before, err
}

// keepIdempotencyKey writes the key unless it was used after since, and
// reports whether it did. A use of a key that is there takes no lock, so that
// it needs no fsync and waits for no other.
func keepIdempotencyKey(tx *tx, key latchkey.IdempotencyKey, since time.Time) (bool, error) {
	changed, err := tx.exec(`INSERT INTO idempotency_keys
		(organisation_id, environment, key_hash, body_hash, session_id, answer, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (organisation_id, environment, key_hash) DO NOTHING`,
		key.OrganisationID, string(key.Environment), key.KeyHash, key.BodyHash, key.SessionID, key.Answer,
		micros(key.CreatedAt))
	if err != nil {
		return false, fmt.Errorf("keep idempotency key: %w", err)
	}
	if changed == 1 {
		return true, nil
	}
	changed, err = tx.exec(`UPDATE idempotency_keys SET body_hash = $4, session_id = $5, answer = $6, created_at = $7
		WHERE organisation_id = $1 AND environment = $2 AND key_hash = $3 AND created_at <= $8`,
		key.OrganisationID, string(key.Environment), key.KeyHash, key.BodyHash, key.SessionID, key.Answer,
		micros(key.CreatedAt), micros(since))
	if err != nil {
		return false, fmt.Errorf("renew idempotency key: %w", err)
	}
	return changed == 1, nil
}

// ForgetIdempotencyKeys removes up to limit keys from before, and returns how
// many it removed.
func (s *Store) ForgetIdempotencyKeys(ctx context.Context, before time.Time, limit int) (int, error) {
	var removed int64
	err := s.ending(ctx, func(tx *tx) error {
		var err error
		removed, err = tx.exec(`DELETE FROM idempotency_keys WHERE (organisation_id, environment, key_hash) IN (
			SELECT organisation_id, environment, key_hash FROM idempotency_keys WHERE created_at <= $1
			ORDER BY created_at LIMIT $2)`, micros(before), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget idempotency keys: %w", err)
	}
	return int(removed), nil
}
