package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

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

// ClaimDeliveries takes up to limit deliveries that are due, at most one for
// each endpoint and subject, for as long as the lease. What is not finished by
// then is due again, and the late finisher is fenced off.
func (s *Store) ClaimDeliveries(ctx context.Context, now time.Time, limit int, lease time.Duration,
) ([]latchkey.Delivery, error) {
	var list []latchkey.Delivery
	err := s.fact(ctx, func(tx *tx) error {
		claimed, err := claimHeads(tx, now, limit, lease)
		if err != nil {
			return err
		}
		list = list[:0]
		for _, head := range claimed {
			delivery, err := loadDelivery(tx, head)
			if errors.Is(err, sql.ErrNoRows) {
				err = dropQueue(tx, head)
			} else if err == nil {
				list = append(list, delivery)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	return list, nil
}

// dropQueue forgets what waits for an endpoint that is gone. Facts hold the
// endpoints that they queue for, but a replica of an older release did not, and
// may have left a queue behind.
func dropQueue(tx *tx, head latchkey.Delivery) error {
	if _, err := tx.exec(`DELETE FROM deliveries WHERE endpoint_id = $1 AND subject = $2`, head.Endpoint.ID, head.Subject); err != nil {
		return fmt.Errorf("forget the deliveries of %s: %w", head.Endpoint.ID, err)
	}
	_, err := tx.exec(`DELETE FROM delivery_heads WHERE endpoint_id = $1 AND subject = $2`, head.Endpoint.ID, head.Subject)
	if err != nil {
		return fmt.Errorf("forget the queue of %s: %w", head.Endpoint.ID, err)
	}
	return nil
}

// claimHeads moves the due heads out of reach and returns them without their
// bodies.
func claimHeads(tx *tx, now time.Time, limit int, lease time.Duration) ([]latchkey.Delivery, error) {
	rows, err := tx.rows(`UPDATE delivery_heads SET due_at = $2, attempt = attempt + 1, fence = fence + 1
		WHERE (endpoint_id, subject) IN (
			SELECT endpoint_id, subject FROM delivery_heads WHERE due_at <= $1
			ORDER BY due_at LIMIT $3`+tx.fragments.skipLocked+`)
		RETURNING endpoint_id, subject, sequence, event_id, attempt, fence`,
		micros(now), micros(now.Add(lease)), limit)
	return collect(rows, err, func(row scanner) (latchkey.Delivery, error) {
		var head latchkey.Delivery
		err := row.Scan(&head.Endpoint.ID, &head.Subject, &head.Sequence, &head.EventID, &head.Attempt, &head.Fence)
		return head, err
	})
}

// loadDelivery adds the endpoint and the body to a claimed head.
func loadDelivery(tx *tx, head latchkey.Delivery) (latchkey.Delivery, error) {
	var eventType string
	endpoint, err := scanEndpoint(tx.row(`SELECT w.id, w.organisation_id, w.environment, w.url, w.events,
		w.description, w.status, w.sealed_secret, w.created_at, w.previous_secret, w.previous_until, e.type, e.body
		FROM webhook_endpoints w, events e WHERE w.id = $1 AND e.id = $2`, head.Endpoint.ID, head.EventID),
		&eventType, &head.Body)
	if err != nil {
		return head, fmt.Errorf("load delivery of %s to %s: %w", head.EventID, head.Endpoint.ID, err)
	}
	head.Endpoint, head.EventType = endpoint, latchkey.EventType(eventType)
	return head, nil
}
