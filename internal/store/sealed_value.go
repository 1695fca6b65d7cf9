package store

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// sealedColumn says how the sealed secrets of a place are found and replaced.
// The conditions are those of the indexes.
type sealedColumn struct {
	columns string // row, organisation, environment, subject, bytes
	where   string // which begin from $1 and before $2
	replace string // of the row $1, if it is still $3, by $2; $4 and $5 are organisation and environment
}

var sealedIn = map[latchkey.SealedPlace]sealedColumn{
	latchkey.PlaceCredential: {
		"id, organisation_id, environment, id, credential",
		"connections WHERE credential IS NOT NULL AND substr(credential, 1, 9) >= $1 AND substr(credential, 1, 9) < $2",
		"UPDATE connections SET credential = $2 WHERE id = $1 AND credential = $3 AND organisation_id = $4 AND environment = $5",
	},
	latchkey.PlacePreviousCredential: {
		"id, organisation_id, environment, id, previous_credential",
		"connections WHERE previous_credential IS NOT NULL AND substr(previous_credential, 1, 9) >= $1 AND substr(previous_credential, 1, 9) < $2",
		"UPDATE connections SET previous_credential = $2 WHERE id = $1 AND previous_credential = $3 AND organisation_id = $4 AND environment = $5",
	},
	latchkey.PlaceRevocation: { // whose it is stands in the connection
		"id, '', '', connection, credential",
		"revocations WHERE substr(credential, 1, 9) >= $1 AND substr(credential, 1, 9) < $2",
		"UPDATE revocations SET credential = $2 WHERE id = $1 AND credential = $3 AND $4 <> '' AND $5 <> ''",
	},
	latchkey.PlaceFlow: {
		"id, organisation_id, environment, id, flow",
		"link_sessions WHERE flow IS NOT NULL AND substr(flow, 1, 9) >= $1 AND substr(flow, 1, 9) < $2",
		"UPDATE link_sessions SET flow = $2 WHERE id = $1 AND flow = $3 AND organisation_id = $4 AND environment = $5",
	},
	latchkey.PlaceClientSecret: {
		"key_hash, organisation_id, environment, session_id, answer",
		"idempotency_keys WHERE substr(answer, 1, 9) >= $1 AND substr(answer, 1, 9) < $2",
		"UPDATE idempotency_keys SET answer = $2 WHERE key_hash = $1 AND answer = $3 AND organisation_id = $4 AND environment = $5",
	},
	latchkey.PlaceEndpointSecret: {
		"id, organisation_id, environment, id, sealed_secret",
		"webhook_endpoints WHERE substr(sealed_secret, 1, 9) >= $1 AND substr(sealed_secret, 1, 9) < $2",
		"UPDATE webhook_endpoints SET sealed_secret = $2 WHERE id = $1 AND sealed_secret = $3 AND organisation_id = $4 AND environment = $5",
	},
	latchkey.PlacePreviousSecret: {
		"id, organisation_id, environment, id, previous_secret",
		"webhook_endpoints WHERE previous_secret IS NOT NULL AND substr(previous_secret, 1, 9) >= $1 AND substr(previous_secret, 1, 9) < $2",
		"UPDATE webhook_endpoints SET previous_secret = $2 WHERE id = $1 AND previous_secret = $3 AND organisation_id = $4 AND environment = $5",
	},
}

// SealedValues returns up to limit secrets in a place whose sealed bytes begin
// from low and before high.
func (s *Store) SealedValues(ctx context.Context, place latchkey.SealedPlace, low, high []byte, limit int,
) ([]latchkey.SealedValue, error) {
	column := sealedIn[place]
	rows, err := s.read().QueryContext(ctx, `SELECT `+column.columns+` FROM `+column.where+` LIMIT $3`, low, high, limit)
	list, err := collect(rows, err, func(row scanner) (latchkey.SealedValue, error) {
		value := latchkey.SealedValue{Place: place}
		var environment string
		err := row.Scan(&value.Row, &value.OrganisationID, &environment, &value.Subject, &value.Bytes)
		value.Environment = latchkey.Environment(environment)
		if err != nil || place != latchkey.PlaceRevocation {
			return value, err
		}
		var connection latchkey.Connection
		if err := json.Unmarshal([]byte(value.Subject), &connection); err != nil {
			return value, fmt.Errorf("decode revocation %s: %w", value.Row, err)
		}
		value.OrganisationID, value.Environment, value.Subject = connection.OrganisationID, connection.Environment, connection.ID
		return value, nil
	})
	if err != nil {
		return nil, fmt.Errorf("find secrets in %s: %w", place, err)
	}
	return list, nil
}

// ReplaceSealed puts other sealed bytes of the same secrets in their places, all
// or none. One that has changed meanwhile stays as it is.
func (s *Store) ReplaceSealed(ctx context.Context, changes []latchkey.SealedChange) error {
	return s.fact(ctx, func(tx *tx) error {
		for _, change := range changes {
			if err := replaceSealed(tx, change); err != nil {
				return fmt.Errorf("replace %s of %s: %w", change.Place, change.Subject, err)
			}
		}
		return nil
	})
}

func replaceSealed(tx *tx, change latchkey.SealedChange) error {
	changed, err := tx.exec(sealedIn[change.Place].replace, change.Row, change.After, change.Bytes,
		change.OrganisationID, string(change.Environment))
	if err != nil || changed == 0 {
		return err
	}
	switch change.Place {
	case latchkey.PlaceCredential:
		return markCredential(tx, change.Subject, change.After)
	case latchkey.PlacePreviousCredential:
		return markPrevious(tx, change.Subject, change.After)
	}
	return nil
}

// KeyWork says, in one look, what there is to do about keys, where ringKey is
// the one that should wrap; low and high are as for KeyUse.
func (s *Store) KeyWork(ctx context.Context, ringKey string, now time.Time, low, high []byte) (latchkey.KeyWork, error) {
	var work latchkey.KeyWork
	err := s.read().QueryRowContext(ctx, `SELECT COALESCE((SELECT id FROM ring_keys WHERE state = 'primary'), ''),
		EXISTS (SELECT 1 FROM ring_keys WHERE state = 'retiring'),
		EXISTS (SELECT 1 FROM data_keys WHERE wrapped_by <> $1),
		EXISTS (SELECT 1 FROM data_keys WHERE retired_at = 0 AND replace_at <= $2),
		EXISTS (SELECT 1 FROM data_keys WHERE retired_at > 0),
		EXISTS (SELECT 1 FROM meta WHERE name = 'fingerprint_key' AND value >= $3 AND value < $4)
		OR EXISTS (SELECT 1 FROM connections WHERE credential IS NOT NULL AND substr(credential, 1, 9) >= $3 AND substr(credential, 1, 9) < $4)
		OR EXISTS (SELECT 1 FROM connections WHERE previous_credential IS NOT NULL AND substr(previous_credential, 1, 9) >= $3 AND substr(previous_credential, 1, 9) < $4)
		OR EXISTS (SELECT 1 FROM revocations WHERE substr(credential, 1, 9) >= $3 AND substr(credential, 1, 9) < $4)
		OR EXISTS (SELECT 1 FROM link_sessions WHERE flow IS NOT NULL AND substr(flow, 1, 9) >= $3 AND substr(flow, 1, 9) < $4)
		OR EXISTS (SELECT 1 FROM idempotency_keys WHERE substr(answer, 1, 9) >= $3 AND substr(answer, 1, 9) < $4)
		OR EXISTS (SELECT 1 FROM webhook_endpoints WHERE substr(sealed_secret, 1, 9) >= $3 AND substr(sealed_secret, 1, 9) < $4)
		OR EXISTS (SELECT 1 FROM webhook_endpoints WHERE previous_secret IS NOT NULL AND substr(previous_secret, 1, 9) >= $3 AND substr(previous_secret, 1, 9) < $4)`,
		ringKey, micros(now), low, high).
		Scan(&work.Primary, &work.Retiring, &work.WrappedElse, &work.Due, &work.Retired, &work.ByRing)
	if err != nil {
		return work, fmt.Errorf("look for work on keys: %w", err)
	}
	return work, nil
}

// KeyUse counts what needs keys other than the primary ring key and the data
// keys that seal. Low and high are the bounds of what releases without data
// keys sealed; prefix returns those of a data key.
func (s *Store) KeyUse(ctx context.Context, ringKey string, low, high []byte, prefix func(id int64) (low, high []byte),
) (latchkey.KeyUse, error) {
	var use latchkey.KeyUse
	err := s.read().QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN retired_at > 0 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN wrapped_by <> $1 THEN 1 ELSE 0 END), 0) FROM data_keys`, ringKey).
		Scan(&use.DataKeys, &use.Retired, &use.WrappedElse)
	if err != nil {
		return use, fmt.Errorf("count data keys: %w", err)
	}
	if use.SealedByRing, err = s.countSealed(ctx, low, high); err != nil {
		return use, err
	}
	retired, err := s.RetiredDataKeys(ctx, int(use.Retired))
	if err != nil {
		return use, err
	}
	for _, key := range retired {
		low, high := prefix(key.ID)
		count, err := s.countSealed(ctx, low, high)
		if err != nil {
			return use, err
		}
		use.SealedByOld += count
	}
	return use, nil
}

func (s *Store) countSealed(ctx context.Context, low, high []byte) (int64, error) {
	var total int64
	for _, place := range latchkey.SealedPlaces() {
		var count int64
		err := s.read().QueryRowContext(ctx, `SELECT COUNT(*) FROM `+sealedIn[place].where, low, high).Scan(&count)
		if err != nil {
			return 0, fmt.Errorf("count secrets in %s: %w", place, err)
		}
		total += count
	}
	return total, nil
}
