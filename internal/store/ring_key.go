package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"latchkey"
)

// RingKeys returns the keys that wrap data keys, or did, oldest first.
func (s *Store) RingKeys(ctx context.Context) ([]latchkey.RingKey, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT id, state, created_at, changed_at FROM ring_keys ORDER BY created_at, id`)
	list, err := collect(rows, err, func(row scanner) (latchkey.RingKey, error) {
		var key latchkey.RingKey
		var state string
		var created, changed int64
		err := row.Scan(&key.ID, &state, &created, &changed)
		key.State, key.CreatedAt, key.ChangedAt = latchkey.RingKeyState(state), moment(created), moment(changed)
		return key, err
	})
	if err != nil {
		return nil, fmt.Errorf("list ring keys: %w", err)
	}
	return list, nil
}

// AdoptRingKey makes a key the one that wraps from now on, and keeps the proof
// that it sealed; a nil proof changes none. It is a conflict to adopt a key that
// another has followed: who has it reads an old key file.
func (s *Store) AdoptRingKey(ctx context.Context, id string, proof []byte, now time.Time) error {
	return s.fact(ctx, func(tx *tx) error {
		// The row of the primary is taken first, so that two who adopt take turns.
		if _, err := tx.exec(`UPDATE ring_keys SET state = state WHERE state = 'primary'`); err != nil {
			return fmt.Errorf("take the ring key: %w", err)
		}
		var state string
		err := tx.row(`SELECT state FROM ring_keys WHERE id = $1`, id).Scan(&state)
		switch {
		case err == nil && state == string(latchkey.RingKeyPrimary):
			return nil
		case err == nil:
			return conflict("ring key")
		case !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("read ring key %s: %w", id, err)
		}
		if _, err := tx.exec(`UPDATE ring_keys SET state = 'retiring', changed_at = $1 WHERE state = 'primary'`, micros(now)); err != nil {
			return fmt.Errorf("retire the ring key: %w", err)
		}
		if _, err := tx.exec(`INSERT INTO ring_keys (id, state, created_at, changed_at) VALUES ($1, 'primary', $2, $2)`,
			id, micros(now)); err != nil {
			return fmt.Errorf("adopt ring key %s: %w", id, err)
		}
		if proof == nil {
			return nil
		}
		_, err = tx.exec(`INSERT INTO meta (name, value) VALUES ('vault_proof', $1)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, proof)
		return err
	})
}

// DestroyRingKey ends the life of a retiring key that wraps nothing and sealed
// nothing that begins from low and before high; of one that something needs it
// is a conflict.
func (s *Store) DestroyRingKey(ctx context.Context, id string, low, high []byte, now time.Time) error {
	return s.fact(ctx, func(tx *tx) error {
		changed, err := tx.exec(`UPDATE ring_keys SET state = 'destroyed', changed_at = $2
			WHERE id = $1 AND state = 'retiring' AND NOT EXISTS (SELECT 1 FROM data_keys WHERE wrapped_by = $1)`, id, micros(now))
		if err != nil {
			return fmt.Errorf("destroy ring key %s: %w", id, err)
		}
		if changed == 0 {
			return conflict("ring key")
		}
		if low == nil {
			return nil
		}
		return unneeded(tx, low, high)
	})
}

// unneeded is a conflict when a sealed secret begins from low and before high.
func unneeded(tx *tx, low, high []byte) error {
	for _, place := range latchkey.SealedPlaces() {
		var found int64
		err := tx.row(`SELECT COUNT(*) FROM (SELECT 1 FROM `+sealedIn[place].where+` LIMIT 1) AS used`, low, high).Scan(&found)
		if err != nil {
			return fmt.Errorf("look for what a key sealed in %s: %w", place, err)
		}
		if found > 0 {
			return conflict("key")
		}
	}
	return nil
}

// isPrimary is a conflict when the ring key is not the one that wraps; else it
// stays that until the commit.
func isPrimary(tx *tx, id string) error {
	var state string
	err := tx.row(`SELECT state FROM ring_keys WHERE id = $1`+tx.fragments.shareLock, id).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) || err == nil && state != string(latchkey.RingKeyPrimary) {
		return conflict("ring key")
	}
	return err
}
