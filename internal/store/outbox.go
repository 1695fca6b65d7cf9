package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"latchkey"
)

// The states of a delivery.
const (
	deliveryPending   = "pending"
	deliveryDelivered = "delivered"
)

// neverDue is the due time of a head that only a replay moves again.
const neverDue = int64(math.MaxInt64)

// insertEvents appends events, each with a delivery for every endpoint that
// wants it, and a head where that endpoint has nothing else waiting for the
// subject. Taking the head's row, even when it is there already, makes a
// worker that is finishing the one before wait for this fact, so that the new
// delivery is never left without a head.
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
			AND (events LIKE '%,*,%' OR events LIKE $7)`,
			event.Subject, event.Sequence, event.ID, micros(event.CreatedAt), event.OrganisationID,
			string(event.Environment), typePattern)
		if err != nil {
			return fmt.Errorf("queue event %s: %w", event.ID, err)
		}
		_, err = tx.exec(`INSERT INTO delivery_heads
			(endpoint_id, subject, sequence, event_id, attempt, due_at, fence)
			SELECT id, $1, $2, $3, 0, CASE WHEN status = 'parked' THEN CAST($8 AS BIGINT) ELSE $4 END, 0 FROM webhook_endpoints
			WHERE organisation_id = $5 AND environment = $6 AND status <> 'disabled'
			AND (events LIKE '%,*,%' OR events LIKE $7)
			ON CONFLICT (endpoint_id, subject) DO UPDATE SET fence = delivery_heads.fence`,
			event.Subject, event.Sequence, event.ID, micros(event.CreatedAt), event.OrganisationID,
			string(event.Environment), typePattern, neverDue)
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
		s.woken()
	}
}

// ClaimDeliveries takes up to limit deliveries that are due, at most one for
// each endpoint and subject, for as long as the lease. What is not finished by
// then is due again, and the late finisher is fenced off.
func (s *Store) ClaimDeliveries(ctx context.Context, now time.Time, limit int, lease time.Duration,
) ([]latchkey.Delivery, error) {
	var list []latchkey.Delivery
	err := s.fact(ctx, func(tx *tx) error {
		claimed, err := claimHeads(tx, s.engine.skipLocked(), now, limit, lease)
		if err != nil {
			return err
		}
		list = list[:0]
		for _, head := range claimed {
			delivery, err := loadDelivery(tx, head)
			if err != nil {
				return err
			}
			list = append(list, delivery)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	return list, nil
}

// claimHeads moves the due heads out of reach and returns them without their
// bodies.
func claimHeads(tx *tx, skipLocked string, now time.Time, limit int, lease time.Duration,
) ([]latchkey.Delivery, error) {
	rows, err := tx.rows(`UPDATE delivery_heads SET due_at = $2, attempt = attempt + 1, fence = fence + 1
		WHERE (endpoint_id, subject) IN (
			SELECT endpoint_id, subject FROM delivery_heads WHERE due_at <= $1
			ORDER BY due_at LIMIT $3`+skipLocked+`)
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

// FinishDelivery writes how an attempt ended and moves the queue of its
// endpoint and subject on: to the next event when it was delivered, to the
// retry's time when not, out of reach when there are no more attempts. A
// finish under a lost lease changes nothing and is a conflict.
func (s *Store) FinishDelivery(ctx context.Context, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome,
) error {
	more := false
	if grouped := s.engine.batches(); grouped != nil && outcome.Delivered {
		s.facts.Add(1)
		finished := &finishedDelivery{delivery: delivery, outcome: outcome}
		err := grouped.deliveriesFinished.do(ctx, finished)
		if err == nil && finished.more.Load() {
			s.woken()
		}
		return err
	}
	err := s.fact(ctx, func(tx *tx) error {
		var err error
		more, err = finishDelivery(tx, delivery, outcome)
		return err
	})
	if err == nil && more {
		s.woken()
	}
	return err
}

// finishDelivery reports whether the next delivery is due at once.
func finishDelivery(tx *tx, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) (more bool, err error) {
	held, err := tx.exec(`UPDATE delivery_heads SET fence = fence + 1
		WHERE endpoint_id = $1 AND subject = $2 AND fence = $3`,
		delivery.Endpoint.ID, delivery.Subject, delivery.Fence)
	if err != nil {
		return false, fmt.Errorf("take the head of %s: %w", delivery.EventID, err)
	}
	if held == 0 {
		return false, conflict("delivery")
	}
	state := deliveryPending
	if outcome.Delivered {
		state = deliveryDelivered
	}
	_, err = tx.exec(`UPDATE deliveries SET state = $4, attempts = $5, last_status = $6, excerpt = $7, updated_at = $8
		WHERE endpoint_id = $1 AND subject = $2 AND sequence = $3`, delivery.Endpoint.ID, delivery.Subject,
		delivery.Sequence, state, delivery.Attempt, outcome.Status, outcome.Excerpt, micros(outcome.At))
	if err != nil {
		return false, fmt.Errorf("write the outcome of %s: %w", delivery.EventID, err)
	}
	if outcome.Delivered {
		return nextHead(tx, delivery, outcome.At)
	}
	return false, holdHead(tx, delivery, outcome)
}

// nextHead puts the next event of the queue in place of the delivered one.
func nextHead(tx *tx, delivery latchkey.Delivery, now time.Time) (bool, error) {
	changed, err := tx.exec(`UPDATE delivery_heads SET (sequence, event_id, attempt, due_at) = (
			SELECT sequence, event_id, 0, $4 FROM deliveries WHERE endpoint_id = $1 AND subject = $2
			AND sequence > $3 AND state = 'pending' ORDER BY sequence LIMIT 1)
		WHERE endpoint_id = $1 AND subject = $2 AND EXISTS (SELECT 1 FROM deliveries
			WHERE endpoint_id = $1 AND subject = $2 AND sequence > $3 AND state = 'pending')`,
		delivery.Endpoint.ID, delivery.Subject, delivery.Sequence, micros(now))
	if err != nil {
		return false, fmt.Errorf("move the queue after %s: %w", delivery.EventID, err)
	}
	if changed == 1 {
		return true, nil
	}
	_, err = tx.exec(`DELETE FROM delivery_heads WHERE endpoint_id = $1 AND subject = $2`,
		delivery.Endpoint.ID, delivery.Subject)
	if err != nil {
		return false, fmt.Errorf("end the queue after %s: %w", delivery.EventID, err)
	}
	return false, nil
}

// holdHead keeps the failed delivery at the head until its retry, or for good
// when there is none.
func holdHead(tx *tx, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) error {
	due := micros(outcome.RetryAt)
	if due == 0 {
		due = neverDue
	}
	_, err := tx.exec(`UPDATE delivery_heads SET due_at = $3 WHERE endpoint_id = $1 AND subject = $2`,
		delivery.Endpoint.ID, delivery.Subject, due)
	if err != nil {
		return fmt.Errorf("postpone %s: %w", delivery.EventID, err)
	}
	status := latchkey.EndpointStatus("")
	switch {
	case outcome.Disable:
		status = latchkey.EndpointDisabled
	case outcome.RetryAt.IsZero():
		status = latchkey.EndpointParked
	default:
		return nil
	}
	_, err = tx.exec(`UPDATE webhook_endpoints SET status = $2 WHERE id = $1 AND status = 'enabled'`,
		delivery.Endpoint.ID, string(status))
	if err != nil {
		return fmt.Errorf("mark endpoint %s as %s: %w", delivery.Endpoint.ID, status, err)
	}
	_, err = tx.exec(`UPDATE delivery_heads SET due_at = $2 WHERE endpoint_id = $1`, delivery.Endpoint.ID, neverDue)
	if err != nil {
		return fmt.Errorf("park the queue of %s: %w", delivery.Endpoint.ID, err)
	}
	return nil
}
