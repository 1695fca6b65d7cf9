package store

import (
	"context"
	"fmt"

	"latchkey"
)

// Deliveries returns what is remembered of an endpoint's deliveries, the last
// queued first, and whether there is more. An endpoint that is not there has
// none.
func (s *Store) Deliveries(ctx context.Context, filter latchkey.DeliveryFilter,
) ([]latchkey.DeliveryRecord, bool, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT d.event_id, COALESCE(e.type, ''), d.subject, d.state, d.attempts,
		d.last_status, d.excerpt, d.updated_at, COALESCE(CASE WHEN h.lease_until > h.due_at THEN h.lease_until ELSE h.due_at END, $7)
		FROM deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint_id LEFT JOIN events e ON e.id = d.event_id
		LEFT JOIN delivery_heads h ON h.endpoint_id = d.endpoint_id AND h.subject = d.subject AND h.sequence = d.sequence
		WHERE d.endpoint_id = $1 AND w.organisation_id = $2 AND w.environment = $3 AND ($4 = '' OR d.state = $4)
		ORDER BY d.queued_at DESC, d.subject DESC, d.sequence DESC LIMIT $5 OFFSET $6`,
		filter.EndpointID, filter.OrganisationID, string(filter.Environment), string(filter.State),
		filter.Limit+1, filter.Offset, neverDue)
	list, err := collect(rows, err, scanDeliveryRecord)
	if err != nil {
		return nil, false, fmt.Errorf("list deliveries to %s: %w", filter.EndpointID, err)
	}
	if len(list) > filter.Limit {
		return list[:filter.Limit], true, nil
	}
	return list, false, nil
}

func scanDeliveryRecord(row scanner) (latchkey.DeliveryRecord, error) {
	var record latchkey.DeliveryRecord
	var eventType, state string
	var updated, due int64
	err := row.Scan(&record.EventID, &eventType, &record.Subject, &state, &record.Attempts, &record.LastStatus,
		&record.Excerpt, &updated, &due)
	record.EventType, record.State = latchkey.EventType(eventType), latchkey.DeliveryState(state)
	record.UpdatedAt = moment(updated)
	if due != neverDue {
		record.NextAttemptAt = moment(due)
	}
	return record, err
}
