package store

import (
	"context"
	"fmt"
	"math"
	"strings"

	"latchkey"
)

// ReplayDeliveries queues events for an endpoint once more, also such as it was
// never sent, and returns how many. Each subject goes on with the oldest that
// waits, at once; an attempt under way finishes nothing. A parked endpoint is
// enabled with its whole queue, of which the record tells; for a disabled one
// all waits until it is enabled. An event that is named but is not there is a
// not-found error.
func (s *Store) ReplayDeliveries(ctx context.Context, replay latchkey.Replay, record latchkey.AuditRecord,
) (int64, error) {
	var queued int64
	err := s.fact(ctx, func(tx *tx) error {
		endpoint, err := scanEndpoint(tx.row(`SELECT `+endpointColumns+` FROM webhook_endpoints
			WHERE id = $1 AND organisation_id = $2 AND environment = $3`+tx.fragments.shareLock,
			replay.EndpointID, replay.OrganisationID, string(replay.Environment)))
		if err != nil {
			return orNotFound(err, "webhook endpoint")
		}
		if endpoint.Status == latchkey.EndpointParked {
			if err := unpark(tx, replay, record); err != nil {
				return err
			}
		}
		due := micros(replay.At)
		if endpoint.Status == latchkey.EndpointDisabled {
			due = neverDue
		}
		wanted, err := findWanted(tx, replay, joinEvents(endpoint.Events))
		if err != nil {
			return err
		}
		queued, err = queueAgain(tx, wanted, micros(replay.At), due)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("replay to %s: %w", replay.EndpointID, err)
	}
	s.woken()
	return queued, nil
}

// unpark enables a parked endpoint and makes what waits for it due.
func unpark(tx *tx, replay latchkey.Replay, record latchkey.AuditRecord) error {
	changed, err := tx.exec(`UPDATE webhook_endpoints SET status = 'enabled' WHERE id = $1 AND status = 'parked'`,
		replay.EndpointID)
	if err != nil {
		return fmt.Errorf("enable the endpoint: %w", err)
	}
	if changed == 0 {
		return conflict("webhook endpoint")
	}
	if err := dueAll(tx, replay.EndpointID, micros(replay.At)); err != nil {
		return err
	}
	return insertAudit(tx, []latchkey.AuditRecord{record})
}

// wantedEvents narrows the events to those of a replay that the endpoint's
// filter wants.
type wantedEvents struct {
	endpointID string
	condition  string // on events e, over $2 to $6
	values     []any  // $2 to $6
}

// with returns the values of a statement: $1 is the endpoint, $2 to $6 are the
// condition's, the others follow.
func (w wantedEvents) with(more ...any) []any {
	return append(append([]any{w.endpointID}, w.values...), more...)
}

const wantedByFilter = `e.organisation_id = $4 AND e.environment = $5
	AND ($6 LIKE '%,*,%' OR $6 LIKE '%,' || e.type || ',%')`

// findWanted makes the condition of a replay: what is after the place of its
// cursor, or what it names.
func findWanted(tx *tx, replay latchkey.Replay, filter string) (wantedEvents, error) {
	wanted := wantedEvents{endpointID: replay.EndpointID}
	owner := []any{replay.OrganisationID, string(replay.Environment)}
	if len(replay.EventIDs) == 0 {
		var transaction int64
		err := tx.row(`SELECT COALESCE(MAX(transaction_id), $4) FROM events
			WHERE position = $1 AND organisation_id = $2 AND environment = $3`,
			append(append([]any{replay.After}, owner...), fromTheOldest)...).Scan(&transaction)
		if err != nil {
			return wanted, fmt.Errorf("find the cursor: %w", err)
		}
		wanted.condition = `(e.transaction_id, e.position) > ($2, $3) AND ` + wantedByFilter
		wanted.values = append(append([]any{transaction, replay.After}, owner...), filter)
		return wanted, nil
	}
	var there int
	named := strings.Join(replay.EventIDs, ",")
	err := tx.row(`SELECT COUNT(*) FROM events WHERE id IN `+tx.fragments.splitTwo+`
		AND organisation_id = $1 AND environment = $3`, owner[0], named, owner[1]).Scan(&there)
	if err != nil {
		return wanted, fmt.Errorf("find the events: %w", err)
	}
	if there != len(replay.EventIDs) {
		return wanted, notFound("event")
	}
	wanted.condition = `e.id IN ` + tx.fragments.splitTwo + ` AND e.position > $3 AND ` + wantedByFilter
	wanted.values = append(append([]any{named, 0}, owner...), filter)
	return wanted, nil
}

// fromTheOldest is a transaction before that of any event.
const fromTheOldest = int64(math.MinInt64)

// queueAgain makes the wanted deliveries pending and puts the oldest that waits
// at the head of each of their subjects. The heads are taken first, as whoever
// finishes an attempt does.
func queueAgain(tx *tx, wanted wantedEvents, now, due int64) (int64, error) {
	_, err := tx.exec(`UPDATE delivery_heads SET fence = fence
		WHERE endpoint_id = $1 AND subject IN (SELECT e.subject FROM events e WHERE `+wanted.condition+`)`,
		wanted.with()...)
	if err != nil {
		return 0, fmt.Errorf("take the heads: %w", err)
	}
	queued, err := tx.exec(`INSERT INTO deliveries
		(endpoint_id, subject, sequence, event_id, state, attempts, last_status, excerpt, updated_at, queued_at)
		SELECT $1, e.subject, e.sequence, e.id, 'pending', 0, 0, '', $7, $7 FROM events e WHERE `+wanted.condition+`
		ON CONFLICT (endpoint_id, subject, sequence) DO UPDATE SET state = 'pending', attempts = 0, last_status = 0,
			excerpt = '', updated_at = excluded.updated_at, queued_at = excluded.queued_at`, wanted.with(now)...)
	if err != nil {
		return 0, fmt.Errorf("queue the events: %w", err)
	}
	// What was queued at this very moment is among those of the replay; that
	// another event is too does no harm.
	_, err = tx.exec(`INSERT INTO delivery_heads (endpoint_id, subject, sequence, event_id, attempt, due_at, fence)
		SELECT d.endpoint_id, d.subject, d.sequence, d.event_id, 0, $3, 0
		FROM deliveries d JOIN (SELECT subject, MIN(sequence) AS sequence FROM deliveries
			WHERE endpoint_id = $1 AND queued_at = $2 AND state = 'pending' GROUP BY subject) oldest
			ON oldest.subject = d.subject AND oldest.sequence = d.sequence
		WHERE d.endpoint_id = $1
		ON CONFLICT (endpoint_id, subject) DO UPDATE SET attempt = 0, due_at = excluded.due_at,
			fence = delivery_heads.fence + 1,
			event_id = CASE WHEN excluded.sequence < delivery_heads.sequence
				THEN excluded.event_id ELSE delivery_heads.event_id END,
			sequence = CASE WHEN excluded.sequence < delivery_heads.sequence
				THEN excluded.sequence ELSE delivery_heads.sequence END`, wanted.endpointID, now, due)
	if err != nil {
		return 0, fmt.Errorf("move the heads: %w", err)
	}
	return queued, nil
}
