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
	LogoURL             string                `json:"logoUrl,omitzero"`
	AccentColor         string                `json:"accentColor,omitzero"`
	RedirectURIs        []string              `json:"redirectUris"`
	AllowedOrigins      []string              `json:"allowedOrigins"`
	Providers           []string              `json:"providers"`
	Permissions         []latchkey.Permission `json:"permissions"`
	RequireConfirmation bool                  `json:"requireConfirmation,omitzero"`
	RawSessionEnabled   bool                  `json:"rawSessionEnabled,omitzero"`
}

func encodeApp(app latchkey.ClientApp) (string, error) {
	detail, err := json.Marshal(appDetail{
		LogoURL: app.LogoURL, AccentColor: app.AccentColor, RedirectURIs: app.RedirectURIs,
		AllowedOrigins: app.AllowedOrigins, Providers: app.Providers, Permissions: app.Permissions,
		RequireConfirmation: app.RequireConfirmation, RawSessionEnabled: app.RawSessionEnabled,
	})
	if err != nil {
		return "", fmt.Errorf("encode client app: %w", err)
	}
	return string(detail), nil
}

const appColumns = `id, organisation_id, environment, type, name, domain, detail, whitelabel_enabled, suspended,
	created_at, updated_at, registrable`

// insertApp writes a new client app and claims its domain.
func insertApp(tx *tx, app latchkey.ClientApp) error {
	detail, err := encodeApp(app)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO client_apps (`+appColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		app.ID, app.OrganisationID, string(app.Environment), string(app.Type), app.Name, app.Domain, detail,
		app.WhitelabelEnabled, app.Suspended, micros(app.CreatedAt), micros(app.UpdatedAt), app.Registrable)
	if err != nil {
		return fmt.Errorf("create client app %s: %w", app.ID, err)
	}
	return moveClaim(tx, app.OrganisationID, "", app.Registrable)
}

// CreateClientApp keeps a new client app and claims its registrable domain, with
// the record of who made it. It fails with a conflict when another organisation
// has the domain.
func (s *Store) CreateClientApp(ctx context.Context, app latchkey.ClientApp, record latchkey.AuditRecord) error {
	return s.change(ctx, ChangedApps, app.OrganisationID, func(tx *tx) error {
		if err := insertApp(tx, app); err != nil {
			return err
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
}

// UpdateClientApp replaces what may change of a client app, and its claim of a
// domain, with the record of who did it. It fails with a conflict when the app
// has changed since it was read, or when another organisation has the domain.
func (s *Store) UpdateClientApp(ctx context.Context, before, after latchkey.ClientApp, record latchkey.AuditRecord,
) error {
	detail, err := encodeApp(after)
	if err != nil {
		return err
	}
	return s.change(ctx, ChangedApps, after.OrganisationID, func(tx *tx) error {
		changed, err := tx.exec(`UPDATE client_apps SET name = $4, domain = $5, detail = $6,
			whitelabel_enabled = $7, suspended = $8, updated_at = $9, registrable = $10
			WHERE id = $1 AND organisation_id = $2 AND environment = $3 AND updated_at = $11`,
			after.ID, after.OrganisationID, string(after.Environment), after.Name, after.Domain, detail,
			after.WhitelabelEnabled, after.Suspended, micros(after.UpdatedAt), after.Registrable, micros(before.UpdatedAt))
		if err != nil {
			return fmt.Errorf("change client app %s: %w", after.ID, err)
		}
		if changed == 0 {
			return conflict("client app")
		}
		if err := moveClaim(tx, after.OrganisationID, before.Registrable, after.Registrable); err != nil {
			return err
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
}

// DeleteClientApp removes a client app and, if it was the organisation's last
// one there, its claim of the domain, with the record of who did it.
func (s *Store) DeleteClientApp(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
	record latchkey.AuditRecord,
) error {
	return s.changeEnding(ctx, ChangedApps, organisationID, func(tx *tx) error {
		var registrable string
		err := tx.row(`DELETE FROM client_apps WHERE id = $1 AND organisation_id = $2 AND environment = $3
			RETURNING registrable`, id, organisationID, string(environment)).Scan(&registrable)
		if err != nil {
			return orNotFound(err, "client app")
		}
		if err := moveClaim(tx, organisationID, registrable, ""); err != nil {
			return err
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
}

// ClientApps returns the newest client apps of the organisation and environment,
// and whether there are more.
func (s *Store) ClientApps(ctx context.Context, organisationID string, environment latchkey.Environment,
	limit, offset int,
) ([]latchkey.ClientApp, bool, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT `+appColumns+` FROM client_apps
		WHERE organisation_id = $1 AND environment = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4`,
		organisationID, string(environment), limit+1, offset)
	list, err := collect(rows, err, scanApp)
	if err != nil {
		return nil, false, fmt.Errorf("list client apps: %w", err)
	}
	if len(list) > limit {
		return list[:limit], true, nil
	}
	return list, false, nil
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
// environment that is of one of the types.
func (s *Store) OldestClientApp(ctx context.Context, organisationID string, environment latchkey.Environment,
	types []latchkey.AppType,
) (latchkey.ClientApp, error) {
	wanted := ""
	for _, appType := range types {
		wanted += "," + string(appType) + ","
	}
	app, err := scanApp(s.read().QueryRowContext(ctx, `SELECT `+appColumns+` FROM client_apps
		WHERE organisation_id = $1 AND environment = $2 AND replace($3, ',' || type || ',', '') <> $3
		ORDER BY created_at, id LIMIT 1`, organisationID, string(environment), wanted))
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
		&app.WhitelabelEnabled, &app.Suspended, &created, &updated, &app.Registrable)
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
	app.LogoURL, app.AccentColor = detail.LogoURL, detail.AccentColor
	app.RequireConfirmation, app.RawSessionEnabled = detail.RequireConfirmation, detail.RawSessionEnabled
	app.CreatedAt, app.UpdatedAt = moment(created), moment(updated)
	return app, nil
}
