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
		changed, err := tx.exec(`INSERT INTO idempotency_keys
			(organisation_id, environment, key_hash, body_hash, session_id, answer, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (organisation_id, environment, key_hash) DO UPDATE SET body_hash = excluded.body_hash,
				session_id = excluded.session_id, answer = excluded.answer, created_at = excluded.created_at
				WHERE idempotency_keys.created_at <= $8`,
			key.OrganisationID, string(key.Environment), key.KeyHash, key.BodyHash, key.SessionID, key.Answer,
			micros(key.CreatedAt), micros(since))
		if err != nil {
			return fmt.Errorf("keep idempotency key: %w", err)
		}
		if changed == 1 {
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

// ForgetIdempotencyKeys removes up to limit keys from before, and returns how
// many it removed.
func (s *Store) ForgetIdempotencyKeys(ctx context.Context, before time.Time, limit int) (int, error) {
	var removed int64
	err := s.fact(ctx, func(tx *tx) error {
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
