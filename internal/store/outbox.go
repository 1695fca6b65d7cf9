package store

import (
	"fmt"
	"math"

	"latchkey"
)

// neverDue is the due time of a head whose endpoint is not sent to; enabling
// that makes it due.
const neverDue = int64(math.MaxInt64)

// insertEvents appends events, each with a delivery for every endpoint that
// wants it, and a head where that endpoint has nothing else waiting for the
// subject. Taking the head's row, even when it is there already, makes a
// worker that is finishing the one before wait for this fact, so that the new
// delivery is never left without a head. For the same reason the endpoints stay
// as they are until the commit: one that is enabled, disabled or deleted
// meanwhile would pass by what it can't see yet.
func insertEvents(tx *tx, events []latchkey.Event) error {
	for _, event := range events {
		_, err := tx.exec(`INSERT INTO events (id, organisation_id, environment, type, subject, sequence, body, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, event.ID, event.OrganisationID, string(event.Environment),
			string(event.Type), event.Subject, event.Sequence, event.Body, micros(event.CreatedAt))
		if err != nil {
			return fmt.Errorf("append event %s: %w", event.ID, err)
		}
		typePattern := "%," + string(event.Type) + ",%"
		_, err = tx.exec(`INSERT INTO deliveries
			(endpoint_id, subject, sequence, event_id, state, attempts, last_status, excerpt, updated_at, queued_at)
			SELECT id, $1, $2, $3, 'pending', 0, 0, '', $4, $4 FROM webhook_endpoints
			WHERE organisation_id = $5 AND environment = $6 AND status <> 'disabled'
			AND (events LIKE '%,*,%' OR events LIKE $7)`+tx.fragments.shareLock,
			event.Subject, event.Sequence, event.ID, micros(event.CreatedAt), event.OrganisationID,
			string(event.Environment), typePattern)
		if err != nil {
			return fmt.Errorf("queue event %s: %w", event.ID, err)
		}
		_, err = tx.exec(`INSERT INTO delivery_heads
			(endpoint_id, subject, sequence, event_id, attempt, due_at, fence)
			SELECT w.id, d.subject, d.sequence, d.event_id, 0,
				CASE WHEN w.status = 'parked' THEN CAST($6 AS BIGINT) ELSE $5 END, 0
			FROM webhook_endpoints w
			JOIN deliveries d ON d.endpoint_id = w.id AND d.subject = $1 AND d.sequence = $2
			WHERE w.organisation_id = $3 AND w.environment = $4
			ON CONFLICT (endpoint_id, subject) DO UPDATE SET fence = delivery_heads.fence`,
			event.Subject, event.Sequence, event.OrganisationID, string(event.Environment), micros(event.CreatedAt),
			neverDue)
		if err != nil {
			return fmt.Errorf("queue event %s: %w", event.ID, err)
		}
	}
	return nil
}

// wakeFor tells the deliverer, after a fact has been committed, that there may
// be something to deliver.
func (s *Store) wakeFor(err error, events []latchkey.Event) {
	if err == nil && len(events) > 0 {
		s.wake()
	}
}

// wake tells the deliverers of all replicas: one that is busy leaves it to the
// others.
func (s *Store) wake() {
	s.woken()
	s.messenger.wake()
}
