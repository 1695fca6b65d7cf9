package store

import (
	"context"
	"fmt"
	"strings"

	"latchkey"
)

// LiveConnections returns those of the connections, of whichever organisation,
// whose credential may be used: they are active and their client app is not
// suspended.
func (s *Store) LiveConnections(ctx context.Context, ids []string) ([]string, error) {
	for _, id := range ids {
		if !latchkey.ValidID(id, latchkey.PrefixConnection) {
			return nil, fmt.Errorf("find live connections: %w", latchkey.InvalidField("id", "is malformed"))
		}
	}
	rows, err := s.read().QueryContext(ctx, `SELECT id FROM connections WHERE status = $1 AND credential IS NOT NULL
		AND id IN `+s.engine.fragments().in(3)+`
		AND NOT EXISTS (SELECT 1 FROM client_apps WHERE client_apps.id = connections.client_app_id AND client_apps.suspended = $2)`,
		string(latchkey.ConnectionActive), true, strings.Join(ids, ","))
	live, err := collect(rows, err, func(row scanner) (id string, err error) {
		return id, row.Scan(&id)
	})
	if err != nil {
		return nil, fmt.Errorf("find live connections: %w", err)
	}
	return live, nil
}
