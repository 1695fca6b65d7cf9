package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// AuditLanes is how many chains an organisation has.
const AuditLanes = auditLanes

// RemoveAudit removes the oldest records of one chain, up to limit of them, that
// are from before a moment. The chain remembers where it begins now, so that
// what is left can still be verified.
func (s *Store) RemoveAudit(ctx context.Context, organisationID string, lane int, before time.Time, limit int) (Step, error) {
	step := Step{}
	err := s.engine.write(ctx, func(tx *tx) error {
		var removed, last int64
		var hash string
		err := tx.row(`UPDATE audit_chains SET removed = removed WHERE organisation_id = $1 AND lane = $2
			RETURNING removed`, organisationID, lane).Scan(&removed)
		if errors.Is(err, sql.ErrNoRows) {
			step.Done = true
			return nil
		}
		if err != nil {
			return err
		}
		// The first that is young ends the stretch: a chain has no holes.
		err = tx.row(`SELECT COALESCE(MIN(CASE WHEN created_at >= $4 THEN number END) - 1, MAX(number), $3) FROM
			(SELECT number, created_at FROM audit WHERE organisation_id = $1 AND lane = $2 AND number > 0 AND number > $3
			ORDER BY number LIMIT $5) AS oldest`, organisationID, lane, removed, micros(before), limit).Scan(&last)
		if err != nil {
			return err
		}
		step.Done = last-removed < int64(limit)
		if last == removed {
			return nil
		}
		err = tx.row(`SELECT hash FROM audit WHERE organisation_id = $1 AND lane = $2 AND number > 0 AND number = $3`,
			organisationID, lane, last).Scan(&hash)
		if err != nil {
			return err
		}
		step.Removed, err = tx.exec(`DELETE FROM audit WHERE organisation_id = $1 AND lane = $2 AND number > 0
			AND number > $3 AND number <= $4`, organisationID, lane, removed, last)
		if err != nil {
			return err
		}
		_, err = tx.exec(`UPDATE audit_chains SET removed = $3, removed_hash = $4 WHERE organisation_id = $1 AND lane = $2`,
			organisationID, lane, last, hash)
		return err
	})
	if err != nil {
		return step, fmt.Errorf("remove old audit records: %w", err)
	}
	return step, nil
}
