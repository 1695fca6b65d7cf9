package store

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// CreateOrganisation writes an organisation with its first keys and client
// apps, all or none. It fails with a conflict when another organisation has the
// registrable domain of one of them.
func (s *Store) CreateOrganisation(ctx context.Context, organisation latchkey.Organisation,
	keys []latchkey.APIKey, apps []latchkey.ClientApp,
) error {
	settings, err := encodeDefaults(organisation.Defaults)
	if err != nil {
		return err
	}
	return s.fact(ctx, func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO organisations (id, name, settings, created_at) VALUES ($1, $2, $3, $4)`,
			organisation.ID, organisation.Name, settings, micros(organisation.CreatedAt))
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

// Settings returns an organisation with what it decided for itself.
func (s *Store) Settings(ctx context.Context, organisationID string) (latchkey.Organisation, error) {
	organisation := latchkey.Organisation{ID: organisationID}
	var settings string
	var founded int64
	err := s.read().QueryRowContext(ctx, `SELECT name, settings, created_at FROM organisations WHERE id = $1`,
		organisationID).Scan(&organisation.Name, &settings, &founded)
	if err != nil {
		return organisation, orNotFound(err, "organisation")
	}
	organisation.CreatedAt = moment(founded)
	if err := json.Unmarshal([]byte(settings), &organisation.Defaults); err != nil {
		return organisation, fmt.Errorf("decode settings of %s: %w", organisationID, err)
	}
	return organisation, nil
}

// maxOrganisations bounds a list for people.
const maxOrganisations = 1000

// Organisations returns the organisations without their settings, the oldest
// first, at most maxOrganisations.
func (s *Store) Organisations(ctx context.Context) ([]latchkey.Organisation, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT id, name, created_at FROM organisations
		ORDER BY created_at, id LIMIT $1`, maxOrganisations)
	if err != nil {
		return nil, fmt.Errorf("list organisations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var found []latchkey.Organisation
	for rows.Next() {
		var organisation latchkey.Organisation
		var founded int64
		if err := rows.Scan(&organisation.ID, &organisation.Name, &founded); err != nil {
			return nil, fmt.Errorf("list organisations: %w", err)
		}
		organisation.CreatedAt = moment(founded)
		found = append(found, organisation)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list organisations: %w", err)
	}
	return found, nil
}

// UpdateSettings changes an organisation's name and defaults, with the record of
// who did it. It fails with a conflict when they are no longer as they were
// before.
func (s *Store) UpdateSettings(ctx context.Context, before, after latchkey.Organisation, record latchkey.AuditRecord,
) error {
	was, err := encodeDefaults(before.Defaults)
	if err != nil {
		return err
	}
	settings, err := encodeDefaults(after.Defaults)
	if err != nil {
		return err
	}
	return s.change(ctx, ChangedKeys, after.ID, func(tx *tx) error {
		changed, err := tx.exec(`UPDATE organisations SET name = $2, settings = $3
			WHERE id = $1 AND name = $4 AND settings = $5`, after.ID, after.Name, settings, before.Name, was)
		if err != nil {
			return fmt.Errorf("change the settings of %s: %w", after.ID, err)
		}
		if changed == 0 {
			return conflict("organisation")
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
}

func encodeDefaults(defaults latchkey.Defaults) (string, error) {
	encoded, err := json.Marshal(defaults)
	if err != nil {
		return "", fmt.Errorf("encode settings: %w", err)
	}
	return string(encoded), nil
}
