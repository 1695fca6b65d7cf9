package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

const keyColumns = `id, organisation_id, environment, name, prefix, hash, scopes, created_at, expires_at, revoked_at,
	last_used_at`

func encodeScopes(scopes []latchkey.Scope) (string, error) {
	encoded, err := json.Marshal(scopes)
	if err != nil {
		return "", fmt.Errorf("encode scopes: %w", err)
	}
	return string(encoded), nil
}

func insertKey(tx *tx, key latchkey.APIKey) error {
	scopes, err := encodeScopes(key.Scopes)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO api_keys (`+keyColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		key.ID, key.OrganisationID, string(key.Environment), key.Name, key.Prefix, key.Hash, scopes,
		micros(key.CreatedAt), micros(key.ExpiresAt), micros(key.RevokedAt), micros(key.LastUsedAt))
	if err != nil {
		return fmt.Errorf("create key %s: %w", key.ID, err)
	}
	return nil
}

// scanKey reads a row of keyColumns, and more after them.
func scanKey(row scanner, more ...any) (latchkey.APIKey, error) {
	var key latchkey.APIKey
	var environment, scopes string
	var created, expires, revoked, used int64
	err := row.Scan(append([]any{
		&key.ID, &key.OrganisationID, &environment, &key.Name, &key.Prefix, &key.Hash, &scopes, &created, &expires,
		&revoked, &used,
	}, more...)...)
	if err != nil {
		return key, err
	}
	if err := json.Unmarshal([]byte(scopes), &key.Scopes); err != nil {
		return key, fmt.Errorf("decode scopes of key %s: %w", key.ID, err)
	}
	key.Environment = latchkey.Environment(environment)
	key.CreatedAt, key.ExpiresAt, key.RevokedAt, key.LastUsedAt = moment(created), moment(expires), moment(revoked), moment(used)
	return key, nil
}

// APIKeyByHash returns the key with that hash and its organisation, or a
// not-found error. Expiry and revocation are the caller's to judge.
func (s *Store) APIKeyByHash(ctx context.Context, hash string) (latchkey.APIKey, latchkey.Organisation, error) {
	var organisation latchkey.Organisation
	var settings string
	var founded int64
	key, err := scanKey(s.read().QueryRowContext(ctx, `SELECT k.id, k.organisation_id, k.environment, k.name, k.prefix,
		k.hash, k.scopes, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, o.name, o.settings, o.created_at
		FROM api_keys k JOIN organisations o ON o.id = k.organisation_id WHERE k.hash = $1`, hash),
		&organisation.Name, &settings, &founded)
	if err != nil {
		return key, organisation, orNotFound(err, "API key")
	}
	if err := json.Unmarshal([]byte(settings), &organisation.Defaults); err != nil {
		return key, organisation, fmt.Errorf("decode settings of %s: %w", key.OrganisationID, err)
	}
	organisation.ID, organisation.CreatedAt = key.OrganisationID, moment(founded)
	return key, organisation, nil
}

// APIKey returns one key of the organisation and environment that is not
// revoked.
func (s *Store) APIKey(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.APIKey, error) {
	key, err := scanKey(s.read().QueryRowContext(ctx, `SELECT `+keyColumns+` FROM api_keys
		WHERE id = $1 AND organisation_id = $2 AND environment = $3 AND revoked_at = 0`,
		id, organisationID, string(environment)))
	if err != nil {
		return key, orNotFound(err, "API key")
	}
	return key, nil
}

// APIKeys returns the newest keys of the organisation and environment that are
// not revoked, and whether there are more.
func (s *Store) APIKeys(ctx context.Context, organisationID string, environment latchkey.Environment,
	limit, offset int,
) ([]latchkey.APIKey, bool, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT `+keyColumns+` FROM api_keys
		WHERE organisation_id = $1 AND environment = $2 AND revoked_at = 0
		ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4`, organisationID, string(environment), limit+1, offset)
	list, err := collect(rows, err, func(row scanner) (latchkey.APIKey, error) { return scanKey(row) })
	if err != nil {
		return nil, false, fmt.Errorf("list API keys: %w", err)
	}
	if len(list) > limit {
		return list[:limit], true, nil
	}
	return list, false, nil
}

// CreateAPIKey keeps a new key, with the record of who made it.
func (s *Store) CreateAPIKey(ctx context.Context, key latchkey.APIKey, record latchkey.AuditRecord) error {
	return s.fact(ctx, func(tx *tx) error {
		if err := insertKey(tx, key); err != nil {
			return err
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
}

// UpdateAPIKey changes a key's name, scopes and expiry, with the record of who
// did it. It fails with a conflict when they are no longer as they were before.
func (s *Store) UpdateAPIKey(ctx context.Context, before, after latchkey.APIKey, record latchkey.AuditRecord) error {
	was, err := encodeScopes(before.Scopes)
	if err != nil {
		return err
	}
	scopes, err := encodeScopes(after.Scopes)
	if err != nil {
		return err
	}
	return s.change(ctx, ChangedKeys, after.OrganisationID, func(tx *tx) error {
		changed, err := tx.exec(`UPDATE api_keys SET name = $4, scopes = $5, expires_at = $6
			WHERE id = $1 AND organisation_id = $2 AND environment = $3 AND revoked_at = 0
			AND name = $7 AND scopes = $8 AND expires_at = $9`, after.ID, after.OrganisationID, string(after.Environment),
			after.Name, scopes, micros(after.ExpiresAt), before.Name, was, micros(before.ExpiresAt))
		if err != nil {
			return fmt.Errorf("change key %s: %w", after.ID, err)
		}
		if changed == 0 {
			return conflict("API key")
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
}

// RevokeAPIKey ends a key for good, with the record of who did it. One that is
// revoked already is not found.
func (s *Store) RevokeAPIKey(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
	at time.Time, record latchkey.AuditRecord,
) error {
	entry := latchkey.JournalEntry{Kind: latchkey.JournalKey, Subject: id, At: at}
	err := s.changeEnding(ctx, ChangedKeys, organisationID, func(tx *tx) error {
		changed, err := tx.exec(`UPDATE api_keys SET revoked_at = $4
			WHERE id = $1 AND organisation_id = $2 AND environment = $3 AND revoked_at = 0`,
			id, organisationID, string(environment), micros(at))
		if err != nil {
			return fmt.Errorf("revoke key %s: %w", id, err)
		}
		if changed == 0 {
			return notFound("API key")
		}
		if err := appendJournal(tx, entry); err != nil {
			return err
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
	s.tellRevoked(err, entry)
	return err
}

// TouchAPIKeys notes when keys were last used, by their ids. A later use that is
// known already stays.
func (s *Store) TouchAPIKeys(ctx context.Context, used map[string]time.Time) error {
	return s.fact(ctx, func(tx *tx) error {
		for _, id := range slices.Sorted(maps.Keys(used)) { // in order, so that replicas don't wait for each other in a circle
			_, err := tx.exec(`UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND last_used_at < $2`, id, micros(used[id]))
			if err != nil {
				return fmt.Errorf("note the use of key %s: %w", id, err)
			}
		}
		return nil
	})
}
