package store

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"latchkey"
)

func insertKey(tx *tx, key latchkey.APIKey) error {
	scopes, err := json.Marshal(key.Scopes)
	if err != nil {
		return fmt.Errorf("encode scopes: %w", err)
	}
	_, err = tx.exec(`INSERT INTO api_keys
		(id, organisation_id, environment, name, prefix, hash, scopes, created_at, expires_at, revoked_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		key.ID, key.OrganisationID, string(key.Environment), key.Name, key.Prefix, key.Hash, string(scopes),
		micros(key.CreatedAt), micros(key.ExpiresAt), micros(key.RevokedAt), micros(key.LastUsedAt))
	if err != nil {
		return fmt.Errorf("create key %s: %w", key.ID, err)
	}
	return nil
}

// APIKeyByHash returns the key with that hash and its organisation, or a
// not-found error. Expiry and revocation are the caller's to judge.
func (s *Store) APIKeyByHash(ctx context.Context, hash string) (latchkey.APIKey, latchkey.Organisation, error) {
	var key latchkey.APIKey
	var organisation latchkey.Organisation
	var environment, scopes, settings string
	var created, expires, revoked, used, founded int64
	err := s.read().QueryRowContext(ctx, `SELECT k.id, k.organisation_id, k.environment, k.name, k.prefix, k.hash,
		k.scopes, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, o.name, o.settings, o.created_at
		FROM api_keys k JOIN organisations o ON o.id = k.organisation_id WHERE k.hash = $1`, hash).
		Scan(&key.ID, &key.OrganisationID, &environment, &key.Name, &key.Prefix, &key.Hash,
			&scopes, &created, &expires, &revoked, &used, &organisation.Name, &settings, &founded)
	if err != nil {
		return key, organisation, orNotFound(err, "API key")
	}
	if err := json.Unmarshal([]byte(scopes), &key.Scopes); err != nil {
		return key, organisation, fmt.Errorf("decode scopes of key %s: %w", key.ID, err)
	}
	if err := json.Unmarshal([]byte(settings), &organisation.Defaults); err != nil {
		return key, organisation, fmt.Errorf("decode settings of %s: %w", key.OrganisationID, err)
	}
	key.LastUsedAt = moment(used)
	key.Environment = latchkey.Environment(environment)
	key.CreatedAt, key.ExpiresAt, key.RevokedAt = moment(created), moment(expires), moment(revoked)
	organisation.ID, organisation.CreatedAt = key.OrganisationID, moment(founded)
	return key, organisation, nil
}

// RevokeAPIKey ends a key for good. Again, or unknown: nothing happens.
func (s *Store) RevokeAPIKey(ctx context.Context, organisationID, id string, at int64) error {
	return s.fact(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE api_keys SET revoked_at = $3
			WHERE id = $1 AND organisation_id = $2 AND revoked_at = 0`, id, organisationID, at)
		return err
	})
}
