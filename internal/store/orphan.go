package store

import (
	"context"
	"fmt"
)

// orphans count rows whose other half is not there. A database that is served
// has none.
var orphans = map[string]string{
	"API keys without their organisation":         `api_keys r WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = r.organisation_id)`,
	"client apps without their organisation":      `client_apps r WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = r.organisation_id)`,
	"link sessions without their organisation":    `link_sessions r WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = r.organisation_id)`,
	"connections without their organisation":      `connections r WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = r.organisation_id)`,
	"events without their organisation":           `events r WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = r.organisation_id)`,
	"audit records without their organisation":    `audit r WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = r.organisation_id)`,
	"webhook endpoints without an organisation":   `webhook_endpoints r WHERE NOT EXISTS (SELECT 1 FROM organisations o WHERE o.id = r.organisation_id)`,
	"deliveries without their endpoint":           `deliveries r WHERE NOT EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.id = r.endpoint_id)`,
	"deliveries that wait for an event not there": `deliveries r WHERE r.state = 'pending' AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = r.event_id)`,
	"deliveries that wait in no queue": `deliveries r WHERE r.state = 'pending' AND NOT EXISTS
		(SELECT 1 FROM delivery_heads h WHERE h.endpoint_id = r.endpoint_id AND h.subject = r.subject)`,
	"queues without their first delivery": `delivery_heads r WHERE NOT EXISTS (SELECT 1 FROM deliveries d
		WHERE d.endpoint_id = r.endpoint_id AND d.subject = r.subject AND d.sequence = r.sequence)`,
}

// Orphans returns how many rows there are without what they belong to, by what
// they are, and how many were looked for in all.
func (s *Snapshot) Orphans(ctx context.Context) (map[string]int64, error) {
	found := map[string]int64{}
	for what, condition := range orphans {
		var count int64
		if err := s.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+condition).Scan(&count); err != nil {
			return nil, fmt.Errorf("look for %s: %w", what, err)
		}
		if count > 0 {
			found[what] = count
		}
	}
	return found, nil
}

// Integrity asks the engine whether the file is sound. PostgreSQL looks after
// that itself.
func (s *Snapshot) Integrity(ctx context.Context) error {
	if s.postgres {
		return nil
	}
	var answer string
	if err := s.tx.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&answer); err != nil {
		return fmt.Errorf("check the database: %w", err)
	}
	if answer != "ok" {
		return fmt.Errorf("the database is damaged: %s", answer)
	}
	return nil
}
