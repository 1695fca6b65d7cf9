package store

import (
	"context"
	"fmt"
	"time"

	"latchkey"
)

const dataKeyColumns = `id, organisation_id, wrapped, wrapped_by, created_at, replace_at, retired_at`

// DataKey returns a data key, or a not-found error: a key that was destroyed is
// not there.
func (s *Store) DataKey(ctx context.Context, id int64) (latchkey.DataKey, error) {
	key, err := scanDataKey(s.read().QueryRowContext(ctx, `SELECT `+dataKeyColumns+` FROM data_keys WHERE id = $1`, id))
	if err != nil {
		return key, orNotFound(err, "data key")
	}
	return key, nil
}

// ActiveDataKey returns the data key that seals for an organisation, or a
// not-found error.
func (s *Store) ActiveDataKey(ctx context.Context, organisationID string) (latchkey.DataKey, error) {
	key, err := scanDataKey(s.read().QueryRowContext(ctx, `SELECT `+dataKeyColumns+` FROM data_keys
		WHERE organisation_id = $1 AND retired_at = 0`, organisationID))
	if err != nil {
		return key, orNotFound(err, "data key")
	}
	return key, nil
}

// TakeSeals counts seals ahead for who is about to make them, and returns the
// key to make them with; it is not found when the organisation has none, or one
// that would come to more than most.
func (s *Store) TakeSeals(ctx context.Context, organisationID string, seals, most int64) (latchkey.DataKey, error) {
	var key latchkey.DataKey
	err := s.statement(ctx, func(tx *tx) error {
		var err error
		key, err = scanDataKey(tx.row(`UPDATE data_keys SET seals = seals + $2
			WHERE organisation_id = $1 AND retired_at = 0 AND seals <= $3 RETURNING `+dataKeyColumns,
			organisationID, seals, most-seals))
		if err != nil {
			return orNotFound(err, "data key")
		}
		return nil
	})
	return key, err
}

// AddDataKey keeps a key for an organisation in the place of the one with the
// id replaced (0: there is none), which retires. It returns the key that seals
// then: of several who add at once the first to come wins. It is a conflict
// when the key that wrapped it is no longer the one that wraps.
func (s *Store) AddDataKey(ctx context.Context, key latchkey.DataKey, replaced int64) (latchkey.DataKey, error) {
	var active latchkey.DataKey
	err := s.fact(ctx, func(tx *tx) error {
		if err := isPrimary(tx, key.WrappedBy); err != nil {
			return err
		}
		if _, err := tx.exec(`UPDATE data_keys SET retired_at = $3 WHERE id = $1 AND organisation_id = $2 AND retired_at = 0`,
			replaced, key.OrganisationID, micros(key.CreatedAt)); err != nil {
			return fmt.Errorf("retire data key of %s: %w", key.OrganisationID, err)
		}
		if _, err := tx.exec(`INSERT INTO data_keys (`+dataKeyColumns+`, seals) VALUES ($1, $2, $3, $4, $5, $6, 0, 0)
			ON CONFLICT (organisation_id) WHERE retired_at = 0 DO NOTHING`, key.ID, key.OrganisationID, key.Wrapped,
			key.WrappedBy, micros(key.CreatedAt), micros(key.ReplaceAt)); err != nil {
			return fmt.Errorf("add data key of %s: %w", key.OrganisationID, err)
		}
		var err error
		active, err = scanDataKey(tx.row(`SELECT `+dataKeyColumns+` FROM data_keys
			WHERE organisation_id = $1 AND retired_at = 0`, key.OrganisationID))
		return err
	})
	return active, err
}

// RewrapDataKey keeps a data key wrapped anew, unless it has been meanwhile. It
// is a conflict when the key that wrapped it is no longer the one that wraps.
func (s *Store) RewrapDataKey(ctx context.Context, before latchkey.DataKey, wrapped []byte, by string) error {
	return s.fact(ctx, func(tx *tx) error {
		if err := isPrimary(tx, by); err != nil {
			return err
		}
		_, err := tx.exec(`UPDATE data_keys SET wrapped = $2, wrapped_by = $3 WHERE id = $1 AND wrapped_by = $4`,
			before.ID, wrapped, by, before.WrappedBy)
		return err
	})
}

// DataKeysNotBy returns up to limit data keys that another ring key wrapped.
func (s *Store) DataKeysNotBy(ctx context.Context, ringKey string, limit int) ([]latchkey.DataKey, error) {
	return s.dataKeys(ctx, `SELECT `+dataKeyColumns+` FROM data_keys WHERE wrapped_by <> $1 ORDER BY id LIMIT $2`, ringKey, limit)
}

// DataKeysToReplace returns up to limit data keys that should seal no longer.
func (s *Store) DataKeysToReplace(ctx context.Context, now time.Time, limit int) ([]latchkey.DataKey, error) {
	return s.dataKeys(ctx, `SELECT `+dataKeyColumns+` FROM data_keys WHERE retired_at = 0 AND replace_at <= $1
		ORDER BY replace_at LIMIT $2`, micros(now), limit)
}

// RetiredDataKeys returns up to limit data keys that seal no longer, the oldest
// first.
func (s *Store) RetiredDataKeys(ctx context.Context, limit int) ([]latchkey.DataKey, error) {
	return s.dataKeys(ctx, `SELECT `+dataKeyColumns+` FROM data_keys WHERE retired_at > 0 ORDER BY retired_at LIMIT $1`, limit)
}

func (s *Store) dataKeys(ctx context.Context, query string, args ...any) ([]latchkey.DataKey, error) {
	rows, err := s.read().QueryContext(ctx, query, args...)
	list, err := collect(rows, err, scanDataKey)
	if err != nil {
		return nil, fmt.Errorf("list data keys: %w", err)
	}
	return list, nil
}

// ReplaceDataKeys has every data key replaced at the time, if not before.
func (s *Store) ReplaceDataKeys(ctx context.Context, at time.Time) error {
	return s.fact(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE data_keys SET replace_at = $1 WHERE retired_at = 0 AND replace_at > $1`, micros(at))
		return err
	})
}

// DestroyDataKey removes a retired key that sealed nothing which begins from low
// and before high; of one that something needs it is a conflict.
func (s *Store) DestroyDataKey(ctx context.Context, id int64, low, high []byte) error {
	return s.fact(ctx, func(tx *tx) error {
		if err := unneeded(tx, low, high); err != nil {
			return err
		}
		_, err := tx.exec(`DELETE FROM data_keys WHERE id = $1 AND retired_at > 0`, id)
		return err
	})
}

// shredAfter is how long the data key of an organisation stays once something
// that it sealed was erased. A copy of those bytes that lies about somewhere, as
// in a dead row or a write-ahead log, opens no longer than that.
const shredAfter = 12 * time.Hour

// shredSoon has the data key of an organisation replaced soon.
func shredSoon(tx *tx, organisationID string, now time.Time) error {
	_, err := tx.exec(`UPDATE data_keys SET replace_at = $2 WHERE organisation_id = $1 AND retired_at = 0 AND replace_at > $2`,
		organisationID, micros(now.Add(shredAfter)))
	return err
}

func scanDataKey(row scanner) (latchkey.DataKey, error) {
	var key latchkey.DataKey
	var created, replace, retired int64
	err := row.Scan(&key.ID, &key.OrganisationID, &key.Wrapped, &key.WrappedBy, &created, &replace, &retired)
	key.CreatedAt, key.ReplaceAt, key.RetiredAt = moment(created), moment(replace), moment(retired)
	return key, err
}
