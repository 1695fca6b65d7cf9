package store

import (
	"fmt"
	"math"
	"slices"

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
	for together := range slices.Chunk(events, eventsTogether) {
		if err := appendEvents(tx, together); err != nil {
			return err
		}
		queued, err := queueEvents(tx, together)
		if err != nil {
			return err
		}
		if queued == 0 { // nobody wants them
			continue
		}
		for _, event := range together {
			if err := insertHeads(tx, event); err != nil {
				return err
			}
		}
	}
	return nil
}

// eventsTogether is how many events share a statement: a link has two.
const eventsTogether = 2

// eventValues are the values of so many events.
var eventValues = [eventsTogether + 1]string{
	1: `VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
	2: `VALUES ($1, $2, $3, $4, $5, $6, $7, $8), ($9, $10, $11, $12, $13, $14, $15, $16)`,
}

func appendEvents(tx *tx, events []latchkey.Event) error {
	values := make([]any, 0, 8*eventsTogether)
	for _, event := range events {
		values = append(values, event.ID, event.OrganisationID, string(event.Environment), string(event.Type),
			event.Subject, event.Sequence, event.Body, micros(event.CreatedAt))
	}
	_, err := tx.exec(`INSERT INTO events (id, organisation_id, environment, type, subject, sequence, body, created_at) `+
		eventValues[len(events)], values...)
	if err != nil {
		return fmt.Errorf("append event %s: %w", events[0].ID, err)
	}
	return nil
}

// queueEvents queues what was just appended, and returns how many deliveries
// there are. It asks without LIKE: SQLite prepares a statement anew whenever
// the pattern that is bound to it changes.
func queueEvents(tx *tx, events []latchkey.Event) (int64, error) {
	first, last := events[0].ID, events[len(events)-1].ID
	queued, err := tx.exec(`INSERT INTO deliveries
		(endpoint_id, subject, sequence, event_id, state, attempts, last_status, excerpt, updated_at, queued_at)
		SELECT w.id, e.subject, e.sequence, e.id, 'pending', 0, 0, '', e.created_at, e.created_at
		FROM events e JOIN webhook_endpoints w ON w.organisation_id = e.organisation_id AND w.environment = e.environment
		WHERE e.id IN ($1, $2) AND w.status <> 'disabled'
		AND (w.events LIKE '%,*,%' OR replace(w.events, ',' || e.type || ',', '') <> w.events)`+tx.fragments.shareOfW,
		first, last)
	if err != nil {
		return 0, fmt.Errorf("queue event %s: %w", first, err)
	}
	return queued, nil
}

func insertHeads(tx *tx, event latchkey.Event) error {
	_, err := tx.exec(`INSERT INTO delivery_heads
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
