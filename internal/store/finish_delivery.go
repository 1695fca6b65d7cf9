package store

import (
	"context"
	"fmt"
	"time"

	"latchkey"
)

// FinishDelivery writes how an attempt ended and moves the queue of its
// endpoint and subject on: to the next event when it was delivered, to the
// retry's time when not, out of reach when there are no more attempts. A
// finish under a lost lease changes nothing and is a conflict.
func (s *Store) FinishDelivery(ctx context.Context, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome,
) error {
	if outcome.Delivered {
		s.facts.Add(1)
		finished := &finishedDelivery{delivery: delivery, outcome: outcome}
		err := s.engine.finishes().do(ctx, finished)
		if err == nil && finished.more.Load() {
			s.woken()
		}
		return err
	}
	return s.ending(ctx, func(tx *tx) error { return failDelivery(tx, delivery, outcome) })
}

// ends reports whether after a failure nothing is sent to the endpoint any more.
func ends(outcome latchkey.DeliveryOutcome) bool {
	return outcome.Disable || outcome.RetryAt.IsZero()
}

// failDelivery writes a failed attempt and keeps its delivery at the head.
func failDelivery(tx *tx, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) error {
	if ends(outcome) { // before its heads, as everybody takes them
		_, err := tx.exec(`UPDATE webhook_endpoints SET status = status WHERE id = $1`, delivery.Endpoint.ID)
		if err != nil {
			return fmt.Errorf("take endpoint %s: %w", delivery.Endpoint.ID, err)
		}
	}
	held, err := tx.exec(`UPDATE delivery_heads SET fence = fence + 1
		WHERE endpoint_id = $1 AND subject = $2 AND fence = $3`,
		delivery.Endpoint.ID, delivery.Subject, delivery.Fence)
	if err != nil {
		return fmt.Errorf("take the head of %s: %w", delivery.EventID, err)
	}
	if held == 0 {
		return conflict("delivery")
	}
	_, err = tx.exec(`UPDATE deliveries SET state = $4, attempts = $5, last_status = $6, excerpt = $7, updated_at = $8
		WHERE endpoint_id = $1 AND subject = $2 AND sequence = $3`, delivery.Endpoint.ID, delivery.Subject,
		delivery.Sequence, string(latchkey.DeliveryPending), delivery.Attempt, outcome.Status, outcome.Excerpt, micros(outcome.At))
	if err != nil {
		return fmt.Errorf("write the outcome of %s: %w", delivery.EventID, err)
	}
	return holdHead(tx, delivery, outcome)
}

// dueIfEnabled is the time $4 for a head of the endpoint $1, unless that has
// been disabled or parked while the attempt was under way.
const dueIfEnabled = `CASE WHEN EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = $1 AND status = 'enabled')
	THEN CAST($4 AS BIGINT) ELSE $5 END`

// holdHead keeps the failed delivery at the head until its retry, or with the
// whole queue for good when there is none. An endpoint that has another URL by
// now is not to blame: it gets its attempts at once.
func holdHead(tx *tx, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) error {
	if !ends(outcome) {
		return postpone(tx, delivery, delivery.Attempt, outcome.RetryAt)
	}
	status := latchkey.EndpointParked
	if outcome.Disable {
		status = latchkey.EndpointDisabled
	}
	changed, err := tx.exec(`UPDATE webhook_endpoints SET status = $2 WHERE id = $1 AND status = 'enabled' AND url = $3`,
		delivery.Endpoint.ID, string(status), delivery.Endpoint.URL)
	if err != nil {
		return fmt.Errorf("mark endpoint %s as %s: %w", delivery.Endpoint.ID, status, err)
	}
	if changed == 0 {
		return postpone(tx, delivery, 0, outcome.At)
	}
	return dueAll(tx, delivery.Endpoint.ID, neverDue)
}

// postpone makes the head due again after so many attempts.
func postpone(tx *tx, delivery latchkey.Delivery, attempts int, until time.Time) error {
	_, err := tx.exec(`UPDATE delivery_heads SET attempt = $3, lease_until = 0, due_at = `+dueIfEnabled+`
		WHERE endpoint_id = $1 AND subject = $2`,
		delivery.Endpoint.ID, delivery.Subject, attempts, micros(until), neverDue)
	if err != nil {
		return fmt.Errorf("postpone %s: %w", delivery.EventID, err)
	}
	return nil
}

// dueAll gives every head of an endpoint the due time, in microseconds. What
// was tried before gets all its attempts again.
func dueAll(tx *tx, endpointID string, due int64) error {
	_, err := tx.exec(`UPDATE delivery_heads SET due_at = $2, lease_until = 0, attempt = 0 WHERE endpoint_id = $1`, endpointID, due)
	if err != nil {
		return fmt.Errorf("move the queue of %s: %w", endpointID, err)
	}
	return nil
}
