package store

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// CreateOrganisation writes an organisation with its first keys and client
// apps, all or none.
func (s *Store) CreateOrganisation(ctx context.Context, organisation latchkey.Organisation,
	keys []latchkey.APIKey, apps []latchkey.ClientApp,
) error {
	settings, err := json.Marshal(organisation.Defaults)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	return s.fact(ctx, func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO organisations (id, name, settings, created_at) VALUES ($1, $2, $3, $4)`,
			organisation.ID, organisation.Name, string(settings), micros(organisation.CreatedAt))
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
