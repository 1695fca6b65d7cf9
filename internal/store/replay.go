package store

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"latchkey"
)

// replayPatience is what a replay has in the place of a request's usual
// patience: it may queue ten thousand events and more, and ends before a server
// that leaves is done.
const replayPatience = 10 * time.Second

// ReplayDeliveries queues events for an endpoint once more, also such as it was
// never sent, and returns how many. Each subject goes on with the oldest that
// waits, at once; an attempt under way finishes nothing. A parked endpoint is
// enabled with its whole queue, of which the record tells; for a disabled one
// all waits until it is enabled. An event that is named but is not there is a
// not-found error.
func (s *Store) ReplayDeliveries(ctx context.Context, replay latchkey.Replay, record latchkey.AuditRecord,
) (int64, error) {
	var queued int64
	err := s.fact(WithPatience(ctx, replayPatience), func(tx *tx) error {
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
		queued, err = queueAgain(tx, wanted, replay.EndpointID, micros(replay.At), due)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("replay to %s: %w", replay.EndpointID, err)
	}
	s.wake()
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

// wantedEvents says which events a replay queues.
type wantedEvents struct {
	condition string // on events, over $1 to $7
	values    []any  // $1 to $7
}

// with returns the values of a statement: the condition's and what follows.
func (w wantedEvents) with(more ...any) []any {
	return append(w.values[:len(w.values):len(w.values)], more...)
}

// findWanted makes the condition of a replay: what comes after the place of its
// cursor and up to the place of the other, or what it names, as far as the
// filter wants it.
func findWanted(tx *tx, replay latchkey.Replay, filter string) (wantedEvents, error) {
	byFilter := ` AND ($5 LIKE '%,*,%' OR $5 LIKE '%,' || type || ',%') AND ` + tx.fragments.until
	owner := []any{replay.OrganisationID, string(replay.Environment)}
	if len(replay.EventIDs) == 0 {
		from, err := findPlace(tx.ctx, plainReader{tx.run}, replay.OrganisationID, replay.Environment, replay.After)
		if err != nil {
			return wantedEvents{}, err
		}
		to, err := findEnd(tx, replay)
		if err != nil {
			return wantedEvents{}, err
		}
		return wantedEvents{
			condition: `organisation_id = $1 AND environment = $2 AND ` + tx.fragments.after + byFilter,
			values:    append(owner, from.transaction, from.position, filter, to.transaction, to.position),
		}, nil
	}
	// The owner is looked at last, lest SQLite search through all that it has.
	named := `id IN ` + tx.fragments.in(3) + `
		AND CASE WHEN organisation_id = $1 AND environment = $2 THEN position > $4 ELSE FALSE END`
	values := append(owner, strings.Join(replay.EventIDs, ","), 0)
	var there int
	if err := tx.row(`SELECT COUNT(*) FROM events WHERE `+named, values...).Scan(&there); err != nil {
		return wantedEvents{}, fmt.Errorf("find the events: %w", err)
	}
	if there != len(replay.EventIDs) {
		return wantedEvents{}, notFound("event")
	}
	return wantedEvents{condition: named + byFilter, values: append(values, filter, newest.transaction, newest.position)}, nil
}

// newest is a place that no event comes after.
var newest = place{transaction: math.MaxInt64, position: math.MaxInt64}

// findEnd returns the place where a replay ends. Unlike its beginning it must be
// that of an event which is kept.
func findEnd(tx *tx, replay latchkey.Replay) (place, error) {
	if replay.Until == 0 {
		return newest, nil
	}
	to, err := findPlace(tx.ctx, plainReader{tx.run}, replay.OrganisationID, replay.Environment, replay.Until)
	if err == nil && to.transaction == math.MinInt64 {
		err = latchkey.InvalidField("until", "must be the cursor of an event that is kept")
	}
	return to, err
}

// queueAgain makes the wanted deliveries pending and puts the oldest that waits
// at the head of each of their subjects. The heads are taken first, as whoever
// finishes an attempt does.
func queueAgain(tx *tx, wanted wantedEvents, endpointID string, now, due int64) (int64, error) {
	_, err := tx.exec(`UPDATE delivery_heads SET fence = fence
		WHERE endpoint_id = $8 AND subject IN (SELECT subject FROM events WHERE `+wanted.condition+`)`,
		wanted.with(endpointID)...)
	if err != nil {
		return 0, fmt.Errorf("take the heads: %w", err)
	}
	queued, err := tx.exec(`INSERT INTO deliveries
		(endpoint_id, subject, sequence, event_id, state, attempts, last_status, excerpt, updated_at, queued_at)
		SELECT $8, subject, sequence, id, 'pending', 0, 0, '', $9, $9 FROM events WHERE `+wanted.condition+`
		ON CONFLICT (endpoint_id, subject, sequence) DO UPDATE SET state = 'pending', attempts = 0, last_status = 0,
			excerpt = '', updated_at = excluded.updated_at, queued_at = excluded.queued_at`,
		wanted.with(endpointID, now)...)
	if err != nil {
		return 0, fmt.Errorf("queue the events: %w", err)
	}
	// An event that was appended only now is not among what has just been queued.
	// The sum keeps PostgreSQL, which may know nothing of the tables yet, from an index
	// in which all of them stand together.
	_, err = tx.exec(`INSERT INTO delivery_heads (endpoint_id, subject, sequence, event_id, attempt, due_at, fence)
		SELECT d.endpoint_id, d.subject, d.sequence, d.event_id, 0, $10, 0
		FROM (SELECT subject, MIN(sequence) AS sequence FROM events WHERE `+wanted.condition+` GROUP BY subject) oldest
		JOIN deliveries d ON d.endpoint_id = $8 AND d.subject = oldest.subject AND d.sequence = oldest.sequence
		WHERE d.state = 'pending' AND d.queued_at + 0 = $9
		ON CONFLICT (endpoint_id, subject) DO UPDATE SET attempt = 0, due_at = excluded.due_at, lease_until = 0,
			fence = delivery_heads.fence + 1,
			event_id = CASE WHEN excluded.sequence < delivery_heads.sequence
				THEN excluded.event_id ELSE delivery_heads.event_id END,
			sequence = CASE WHEN excluded.sequence < delivery_heads.sequence
				THEN excluded.sequence ELSE delivery_heads.sequence END`, wanted.with(endpointID, now, due)...)
	if err != nil {
		return 0, fmt.Errorf("move the heads: %w", err)
	}
	return queued, nil
}
