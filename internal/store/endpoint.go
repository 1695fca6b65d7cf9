package store

import (
	"context"
	"fmt"
	"strings"

	"latchkey"
)

const endpointColumns = `id, organisation_id, environment, url, events, description, status, sealed_secret, created_at,
	previous_secret, previous_until, rate_limit`

// CreateWebhookEndpoint keeps a new endpoint with the record of it. It is sent
// what happens from now on.
func (s *Store) CreateWebhookEndpoint(ctx context.Context, endpoint latchkey.WebhookEndpoint,
	record latchkey.AuditRecord,
) error {
	return s.fact(ctx, func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO webhook_endpoints (`+endpointColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, endpoint.ID, endpoint.OrganisationID,
			string(endpoint.Environment), endpoint.URL, joinEvents(endpoint.Events), endpoint.Description,
			string(endpoint.Status), endpoint.SealedSecret, micros(endpoint.CreatedAt), endpoint.PreviousSecret,
			micros(endpoint.PreviousUntil), endpoint.RateLimit)
		if err != nil {
			return fmt.Errorf("create webhook endpoint %s: %w", endpoint.ID, err)
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
}

// WebhookEndpoints returns the newest endpoints of the organisation and
// environment, and whether there are more.
func (s *Store) WebhookEndpoints(ctx context.Context, organisationID string, environment latchkey.Environment,
	limit, offset int,
) ([]latchkey.WebhookEndpoint, bool, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT `+endpointColumns+` FROM webhook_endpoints
		WHERE organisation_id = $1 AND environment = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4`,
		organisationID, string(environment), limit+1, offset)
	list, err := collect(rows, err, func(row scanner) (latchkey.WebhookEndpoint, error) { return scanEndpoint(row) })
	if err != nil {
		return nil, false, fmt.Errorf("list webhook endpoints: %w", err)
	}
	if len(list) > limit {
		return list[:limit], true, nil
	}
	return list, false, nil
}

// WebhookEndpoint returns one endpoint of the organisation and environment.
func (s *Store) WebhookEndpoint(ctx context.Context, organisationID string, environment latchkey.Environment,
	id string,
) (latchkey.WebhookEndpoint, error) {
	endpoint, err := scanEndpoint(s.read().QueryRowContext(ctx, `SELECT `+endpointColumns+` FROM webhook_endpoints
		WHERE id = $1 AND organisation_id = $2 AND environment = $3`, id, organisationID, string(environment)))
	if err != nil {
		return endpoint, orNotFound(err, "webhook endpoint")
	}
	return endpoint, nil
}

// UpdateWebhookEndpoint changes what is named of an endpoint and returns it as
// it is then, with the record committed beside it. Enabling one that was not
// makes all that waits for it due; disabling holds it.
func (s *Store) UpdateWebhookEndpoint(ctx context.Context, change latchkey.EndpointChange, record latchkey.AuditRecord,
) (latchkey.WebhookEndpoint, error) {
	var endpoint latchkey.WebhookEndpoint
	var enabled bool
	err := s.fact(ctx, func(tx *tx) error {
		before, err := takeEndpoint(tx, change.OrganisationID, change.Environment, change.ID)
		if err != nil {
			return err
		}
		if endpoint, err = changeEndpoint(tx, change); err != nil {
			return err
		}
		enabled = endpoint.Status == latchkey.EndpointEnabled && endpoint.Status != before.Status
		if endpoint.Status != before.Status {
			due := neverDue
			if enabled {
				due = micros(change.At)
			}
			if err := dueAll(tx, change.ID, due); err != nil {
				return err
			}
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
	if err == nil && enabled {
		s.wake()
	}
	return endpoint, err
}

// takeEndpoint returns an endpoint, which stays as it is until the commit.
func takeEndpoint(tx *tx, organisationID string, environment latchkey.Environment, id string,
) (latchkey.WebhookEndpoint, error) {
	endpoint, err := scanEndpoint(tx.row(`UPDATE webhook_endpoints SET status = status
		WHERE id = $1 AND organisation_id = $2 AND environment = $3 RETURNING `+endpointColumns,
		id, organisationID, string(environment)))
	if err != nil {
		return endpoint, orNotFound(err, "webhook endpoint")
	}
	return endpoint, nil
}

func changeEndpoint(tx *tx, change latchkey.EndpointChange) (latchkey.WebhookEndpoint, error) {
	var events, status *string
	if len(change.Events) > 0 {
		joined := joinEvents(change.Events)
		events = &joined
	}
	if change.Status != "" {
		named := string(change.Status)
		status = &named
	}
	endpoint, err := scanEndpoint(tx.row(`UPDATE webhook_endpoints SET url = COALESCE($2, url),
		events = COALESCE($3, events), description = COALESCE($4, description), status = COALESCE($5, status),
		rate_limit = COALESCE($6, rate_limit)
		WHERE id = $1 RETURNING `+endpointColumns, change.ID, change.URL, events, change.Description, status, change.RateLimit))
	if err != nil {
		return endpoint, fmt.Errorf("update webhook endpoint %s: %w", change.ID, err)
	}
	return endpoint, nil
}

// RotateEndpointSecret puts a new secret in place of an endpoint's. The one
// before is kept until it stops to sign; one that still did is forgotten.
func (s *Store) RotateEndpointSecret(ctx context.Context, rotation latchkey.SecretRotation,
	record latchkey.AuditRecord,
) (latchkey.WebhookEndpoint, error) {
	var endpoint latchkey.WebhookEndpoint
	err := s.fact(ctx, func(tx *tx) error {
		var err error
		endpoint, err = scanEndpoint(tx.row(`UPDATE webhook_endpoints
			SET previous_secret = sealed_secret, previous_until = $5, sealed_secret = $4
			WHERE id = $1 AND organisation_id = $2 AND environment = $3 RETURNING `+endpointColumns,
			rotation.EndpointID, rotation.OrganisationID, string(rotation.Environment), rotation.SealedSecret,
			micros(rotation.PreviousUntil)))
		if err != nil {
			return orNotFound(err, "webhook endpoint")
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
	return endpoint, err
}

// DeleteWebhookEndpoint removes an endpoint with what waits for it and what is
// remembered of its deliveries.
func (s *Store) DeleteWebhookEndpoint(ctx context.Context, organisationID string, environment latchkey.Environment,
	id string, record latchkey.AuditRecord,
) error {
	return s.ending(ctx, func(tx *tx) error {
		changed, err := tx.exec(`DELETE FROM webhook_endpoints
			WHERE id = $1 AND organisation_id = $2 AND environment = $3`, id, organisationID, string(environment))
		if err != nil {
			return fmt.Errorf("delete webhook endpoint %s: %w", id, err)
		}
		if changed == 0 {
			return notFound("webhook endpoint")
		}
		if _, err := tx.exec(`DELETE FROM delivery_heads WHERE endpoint_id = $1`, id); err != nil {
			return fmt.Errorf("forget the queue of %s: %w", id, err)
		}
		if _, err := tx.exec(`DELETE FROM deliveries WHERE endpoint_id = $1`, id); err != nil {
			return fmt.Errorf("forget the deliveries of %s: %w", id, err)
		}
		if _, err := tx.exec(`DELETE FROM endpoint_paces WHERE endpoint_id = $1`, id); err != nil {
			return fmt.Errorf("forget the pace of %s: %w", id, err)
		}
		return insertAudit(tx, []latchkey.AuditRecord{record})
	})
}

func scanEndpoint(row scanner, more ...any) (latchkey.WebhookEndpoint, error) {
	var endpoint latchkey.WebhookEndpoint
	var environment, events, status string
	var created, until int64
	err := row.Scan(append([]any{
		&endpoint.ID, &endpoint.OrganisationID, &environment, &endpoint.URL, &events,
		&endpoint.Description, &status, &endpoint.SealedSecret, &created, &endpoint.PreviousSecret, &until,
		&endpoint.RateLimit,
	}, more...)...)
	endpoint.Environment, endpoint.Status = latchkey.Environment(environment), latchkey.EndpointStatus(status)
	endpoint.Events, endpoint.CreatedAt, endpoint.PreviousUntil = splitEvents(events), moment(created), moment(until)
	return endpoint, err
}

// joinEvents writes a filter as ",a,b," so that one LIKE finds a type in it.
func joinEvents(events []string) string { return "," + strings.Join(events, ",") + "," }

func splitEvents(joined string) []string { return strings.Split(strings.Trim(joined, ","), ",") }
