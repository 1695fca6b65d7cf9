package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"latchkey"
)

// What is done here by itself is not counted among reads and facts: those are of
// what somebody waits for.

// Step is one small removal: a stretch of an index, and where the next begins.
type Step struct {
	Removed int64
	Next    int64 // give it back to go on
	Done    bool  // there is nothing older left
}

// stretch finds where a stretch of up to limit rows ends. The query answers the
// value of the row that many places after $1, below $2.
func (s *Store) stretch(ctx context.Context, query string, args ...any) (end int64, last bool, err error) {
	err = s.engine.reader().QueryRowContext(ctx, query, args...).Scan(&end)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, true, nil
	}
	return end, false, err
}

// RemoveSessions removes link sessions of an organisation and environment that
// have ended and were made before a moment: one step of about limit rows,
// beginning at from. Codes that were used go with them.
func (s *Store) RemoveSessions(ctx context.Context, organisationID string, environment latchkey.Environment,
	before time.Time, from int64, limit int,
) (Step, error) {
	end, last, err := s.stretch(ctx, `SELECT created_at FROM link_sessions WHERE organisation_id = $3 AND environment = $4
		AND created_at >= $1 AND created_at < $2 ORDER BY created_at LIMIT 1 OFFSET $5`,
		from, micros(before), organisationID, string(environment), limit)
	if last {
		end = micros(before) - 1
	}
	step := Step{Next: end + 1, Done: last}
	if err == nil {
		step.Removed, err = s.remove(ctx, `DELETE FROM link_sessions WHERE organisation_id = $3 AND environment = $4
			AND created_at >= $1 AND created_at <= $2 AND updated_at < $5
			AND state IN ('completed', 'denied', 'failed', 'expired')`,
			from, end, organisationID, string(environment), micros(before))
	}
	if err != nil {
		return step, fmt.Errorf("remove old sessions: %w", err)
	}
	return step, nil
}

// RemoveDelivered removes what an endpoint got before a moment: one step of
// about limit rows, beginning at from. What waits, parked or not, stays.
func (s *Store) RemoveDelivered(ctx context.Context, endpointID string, before time.Time, from int64, limit int) (Step, error) {
	end, last, err := s.stretch(ctx, `SELECT queued_at FROM deliveries WHERE endpoint_id = $3
		AND queued_at >= $1 AND queued_at < $2 ORDER BY queued_at LIMIT 1 OFFSET $4`, from, micros(before), endpointID, limit)
	if last {
		end = micros(before) - 1
	}
	step := Step{Next: end + 1, Done: last}
	if err == nil {
		step.Removed, err = s.remove(ctx, `DELETE FROM deliveries WHERE endpoint_id = $3 AND queued_at >= $1
			AND queued_at <= $2 AND updated_at < $4 AND state = 'delivered'`, from, end, endpointID, micros(before))
	}
	if err != nil {
		return step, fmt.Errorf("remove old deliveries: %w", err)
	}
	return step, nil
}

// RemoveEvents removes events from before a moment that nobody waits for: one
// step of limit rows after the position from. The endpoints of their
// organisations stand still meanwhile, so that no replay queues what goes.
func (s *Store) RemoveEvents(ctx context.Context, before time.Time, from int64, limit int) (Step, error) {
	var last, youngest int64
	err := s.engine.reader().QueryRowContext(ctx, `SELECT COALESCE(MAX(position), $1), COALESCE(MAX(created_at), 0) FROM
		(SELECT position, created_at FROM events WHERE position > $1 ORDER BY position LIMIT $2) AS page`, from, limit).
		Scan(&last, &youngest)
	if err != nil {
		return Step{}, fmt.Errorf("find old events: %w", err)
	}
	step := Step{Next: last, Done: last == from || youngest >= micros(before)}
	err = s.engine.write(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE webhook_endpoints SET status = status WHERE organisation_id IN
			(SELECT organisation_id FROM events WHERE position > $1 AND position <= $2 AND created_at < $3)`,
			from, last, micros(before))
		if err != nil {
			return err
		}
		step.Removed, err = tx.exec(`DELETE FROM events WHERE position > $1 AND position <= $2 AND created_at < $3
			AND NOT EXISTS (SELECT 1 FROM webhook_endpoints w JOIN deliveries d ON d.endpoint_id = w.id
				AND d.subject = events.subject AND d.sequence = events.sequence
				WHERE w.organisation_id = events.organisation_id AND w.environment = events.environment
				AND d.state <> 'delivered')`, from, last, micros(before))
		return err
	})
	if err != nil {
		return step, fmt.Errorf("remove old events: %w", err)
	}
	return step, nil
}

// remove runs one deletion as a fact.
func (s *Store) remove(ctx context.Context, query string, args ...any) (int64, error) {
	var removed int64
	err := s.engine.write(ctx, func(tx *tx) error {
		var err error
		removed, err = tx.exec(query, args...)
		return err
	})
	return removed, err
}

// OrganisationIDs returns up to limit ids of organisations after one.
func (s *Store) OrganisationIDs(ctx context.Context, after string, limit int) ([]string, error) {
	return s.ids(ctx, `SELECT id FROM organisations WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// EndpointIDs returns up to limit ids of webhook endpoints after one.
func (s *Store) EndpointIDs(ctx context.Context, after string, limit int) ([]string, error) {
	return s.ids(ctx, `SELECT id FROM webhook_endpoints WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

func (s *Store) ids(ctx context.Context, query, after string, limit int) ([]string, error) {
	rows, err := s.engine.reader().QueryContext(ctx, query, after, limit)
	list, err := collect(rows, err, func(row scanner) (string, error) {
		var id string
		err := row.Scan(&id)
		return id, err
	})
	if err != nil {
		return nil, fmt.Errorf("list ids: %w", err)
	}
	return list, nil
}
