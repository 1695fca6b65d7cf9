package store

import (
	"context"
	"fmt"
	"time"

	"latchkey"
)

// DueEndpoints returns up to limit endpoints that something is due for, in the
// order of their ids, beginning after the one that is given. It looks at each
// endpoint that has a queue once, and of what waits there at what is under way
// and one more: it costs the number of endpoints, however long their queues are.
func (s *Store) DueEndpoints(ctx context.Context, now time.Time, after string, limit int,
) ([]latchkey.DueEndpoint, error) {
	rows, err := s.read().QueryContext(ctx, dueEndpoints, micros(now), after, limit, micros(now.Add(longestLease)))
	list, err := collect(rows, err, func(row scanner) (latchkey.DueEndpoint, error) {
		var due latchkey.DueEndpoint
		var pacedUntil int64
		err := row.Scan(&due.ID, &due.RateLimit, &pacedUntil)
		due.PacedUntil = moment(pacedUntil)
		return due, err
	})
	if err != nil {
		return nil, fmt.Errorf("find the endpoints that something is due for: %w", err)
	}
	return list, nil
}

// dueEndpoints steps from one endpoint's heads to the next one's. The number is
// neverDue, written out because only so is the partial index used.
const dueEndpoints = `WITH RECURSIVE turn (endpoint_id) AS (
		SELECT (SELECT h.endpoint_id FROM delivery_heads h WHERE h.endpoint_id > $2 AND h.due_at < 9223372036854775807
			ORDER BY h.endpoint_id LIMIT 1)
		UNION ALL
		SELECT (SELECT h.endpoint_id FROM delivery_heads h WHERE h.endpoint_id > turn.endpoint_id
			AND h.due_at < 9223372036854775807 ORDER BY h.endpoint_id LIMIT 1)
		FROM turn WHERE turn.endpoint_id IS NOT NULL
	)
	SELECT turn.endpoint_id,
		COALESCE((SELECT w.rate_limit FROM webhook_endpoints w WHERE w.id = turn.endpoint_id), 0),
		COALESCE((SELECT p.paced_until FROM endpoint_paces p WHERE p.endpoint_id = turn.endpoint_id), 0)
	FROM turn
	WHERE turn.endpoint_id IS NOT NULL AND (SELECT h.due_at FROM delivery_heads h
		WHERE h.endpoint_id = turn.endpoint_id AND h.due_at <= $1 AND h.due_at < 9223372036854775807
			AND (h.lease_until <= $1 OR h.lease_until > $4)
		ORDER BY h.due_at LIMIT 1) <= $1
	LIMIT $3`
