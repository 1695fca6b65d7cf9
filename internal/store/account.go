package store

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// appDetail is what of a client app is kept as JSON: lists that no query
// filters by.
type appDetail struct {
	RedirectURIs   []string              `json:"redirectUris"`
	AllowedOrigins []string              `json:"allowedOrigins"`
	Providers      []string              `json:"providers"`
	Permissions    []latchkey.Permission `json:"permissions"`
}

// CreateOrganisation writes an organisation with its first keys and client
// apps, all or none.
func (s *Store) CreateOrganisation(ctx context.Context, organisation latchkey.Organisation,
	keys []latchkey.APIKey, apps []latchkey.ClientApp,
) error {
	return s.fact(ctx, func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO organisations (id, name, created_at) VALUES ($1, $2, $3)`,
			organisation.ID, organisation.Name, micros(organisation.CreatedAt))
		if err != nil {
			return fmt.Errorf("create organisation %s: %w", organisation.ID, err)
		}
		for _, key := range keys {
			if err := insertKey(tx, key); err != nil {
				return err
			}
		}
		for _, app := range apps {
			if err := insertApp(tx, app); err != nil {
				return err
			}
		}
		return nil
	})
}

func insertKey(tx *tx, key latchkey.APIKey) error {
	scopes, err := json.Marshal(key.Scopes)
	if err != nil {
		return fmt.Errorf("encode scopes: %w", err)
	}
	_, err = tx.exec(`INSERT INTO api_keys
		(id, organisation_id, environment, name, prefix, hash, scopes, created_at, expires_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		key.ID, key.OrganisationID, string(key.Environment), key.Name, key.Prefix, key.Hash, string(scopes),
		micros(key.CreatedAt), micros(key.ExpiresAt), micros(key.RevokedAt))
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
	var environment, scopes string
	var created, expires, revoked, founded int64
	err := s.read().QueryRowContext(ctx, `SELECT k.id, k.organisation_id, k.environment, k.name, k.prefix, k.hash,
		k.scopes, k.created_at, k.expires_at, k.revoked_at, o.name, o.created_at
		FROM api_keys k JOIN organisations o ON o.id = k.organisation_id WHERE k.hash = $1`, hash).
		Scan(&key.ID, &key.OrganisationID, &environment, &key.Name, &key.Prefix, &key.Hash,
			&scopes, &created, &expires, &revoked, &organisation.Name, &founded)
	if err != nil {
		return key, organisation, orNotFound(err, "API key")
	}
	if err := json.Unmarshal([]byte(scopes), &key.Scopes); err != nil {
		return key, organisation, fmt.Errorf("decode scopes of key %s: %w", key.ID, err)
	}
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

const appColumns = `id, organisation_id, environment, type, name, domain, detail, whitelabel_enabled, suspended,
	created_at, updated_at`

func insertApp(tx *tx, app latchkey.ClientApp) error {
	detail, err := json.Marshal(appDetail{app.RedirectURIs, app.AllowedOrigins, app.Providers, app.Permissions})
	if err != nil {
		return fmt.Errorf("encode client app: %w", err)
	}
	_, err = tx.exec(`INSERT INTO client_apps (`+appColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		app.ID, app.OrganisationID, string(app.Environment), string(app.Type), app.Name, app.Domain, string(detail),
		app.WhitelabelEnabled, app.Suspended, micros(app.CreatedAt), micros(app.UpdatedAt))
	if err != nil {
		return fmt.Errorf("create client app %s: %w", app.ID, err)
	}
	return nil
}

// UpdateClientApp replaces what may change of a client app.
func (s *Store) UpdateClientApp(ctx context.Context, app latchkey.ClientApp) error {
	detail, err := json.Marshal(appDetail{app.RedirectURIs, app.AllowedOrigins, app.Providers, app.Permissions})
	if err != nil {
		return fmt.Errorf("encode client app: %w", err)
	}
	return s.fact(ctx, func(tx *tx) error {
		changed, err := tx.exec(`UPDATE client_apps SET name = $4, domain = $5, detail = $6,
			whitelabel_enabled = $7, suspended = $8, updated_at = $9
			WHERE id = $1 AND organisation_id = $2 AND environment = $3`,
			app.ID, app.OrganisationID, string(app.Environment), app.Name, app.Domain, string(detail),
			app.WhitelabelEnabled, app.Suspended, micros(app.UpdatedAt))
		if err == nil && changed == 0 {
			return notFound("client app")
		}
		return err
	})
}

// ClientApp returns one client app of the organisation and environment.
func (s *Store) ClientApp(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.ClientApp, error) {
	app, err := scanApp(s.read().QueryRowContext(ctx, `SELECT `+appColumns+` FROM client_apps
		WHERE id = $1 AND organisation_id = $2 AND environment = $3`, id, organisationID, string(environment)))
	if err != nil {
		return app, orNotFound(err, "client app")
	}
	return app, nil
}

// OldestClientApp returns the organisation's first client app in the
// environment, of the type unless that is empty.
func (s *Store) OldestClientApp(ctx context.Context, organisationID string, environment latchkey.Environment,
	appType latchkey.AppType,
) (latchkey.ClientApp, error) {
	app, err := scanApp(s.read().QueryRowContext(ctx, `SELECT `+appColumns+` FROM client_apps
		WHERE organisation_id = $1 AND environment = $2 AND ($3 = '' OR type = $3)
		ORDER BY created_at, id LIMIT 1`, organisationID, string(environment), string(appType)))
	if err != nil {
		return app, orNotFound(err, "client app")
	}
	return app, nil
}

func scanApp(row scanner) (latchkey.ClientApp, error) {
	var app latchkey.ClientApp
	var environment, appType, encoded string
	var created, updated int64
	err := row.Scan(&app.ID, &app.OrganisationID, &environment, &appType, &app.Name, &app.Domain, &encoded,
		&app.WhitelabelEnabled, &app.Suspended, &created, &updated)
	if err != nil {
		return app, err
	}
	var detail appDetail
	if err := json.Unmarshal([]byte(encoded), &detail); err != nil {
		return app, fmt.Errorf("decode client app %s: %w", app.ID, err)
	}
	app.Environment, app.Type = latchkey.Environment(environment), latchkey.AppType(appType)
	app.RedirectURIs, app.AllowedOrigins = detail.RedirectURIs, detail.AllowedOrigins
	app.Providers, app.Permissions = detail.Providers, detail.Permissions
	app.CreatedAt, app.UpdatedAt = moment(created), moment(updated)
	return app, nil
}
