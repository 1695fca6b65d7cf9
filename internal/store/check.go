package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"latchkey"
)

// DueChecks returns which of the providers have live connections that are due to
// be asked after, and whether there are any whose refresh was cut short. It
// claims none: a look while nothing is due costs a read.
func (s *Store) DueChecks(ctx context.Context, providers []string, now time.Time) (due []string, interrupted bool, err error) {
	args, served := []any{micros(now)}, "SELECT '' WHERE EXISTS (SELECT 1 FROM connections WHERE refresh_lease_until > 0 AND "+
		"refresh_lease_until <= $1 AND status = 'active' AND check_lease_until <= $1 AND check_failures = 0)"
	for i, provider := range providers {
		args = append(args, provider)
		served += fmt.Sprintf(" UNION ALL SELECT $%[1]d WHERE EXISTS (SELECT 1 FROM connections WHERE provider = $%[1]d AND "+
			"status = 'active' AND check_due_at > 0 AND check_due_at <= $1 AND check_lease_until <= $1)", i+2)
	}
	rows, err := s.read().QueryContext(ctx, served, args...)
	due, err = collect(rows, err, func(row scanner) (string, error) {
		var provider string
		return provider, row.Scan(&provider)
	})
	if err != nil {
		return nil, false, fmt.Errorf("look for checks that are due: %w", err)
	}
	due = slices.DeleteFunc(due, func(provider string) bool {
		interrupted = interrupted || provider == ""
		return provider == ""
	})
	return due, interrupted, nil
}

// ClaimChecks takes up to limit live connections of the provider that are due
// to be asked after, for as long as the lease; what is not finished by then is
// due again. It is no change of the connections.
func (s *Store) ClaimChecks(ctx context.Context, provider string, now time.Time, limit int, lease time.Duration,
) ([]latchkey.DueCheck, error) {
	return s.claimChecks(ctx, now.Add(lease), func(tx *tx) string {
		return `SELECT id FROM connections WHERE provider = $3 AND status = 'active' AND check_due_at > 0
			AND check_due_at <= $2 AND check_lease_until <= $2 ORDER BY check_due_at LIMIT $4` + tx.fragments.skipLocked
	}, micros(now), provider, limit)
}

// ClaimInterrupted takes up to limit live connections whose refresh was begun
// and cut short, as ClaimChecks does. After a check that came to nothing they
// wait for their turn like the others.
func (s *Store) ClaimInterrupted(ctx context.Context, now time.Time, limit int, lease time.Duration,
) ([]latchkey.DueCheck, error) {
	return s.claimChecks(ctx, now.Add(lease), func(tx *tx) string {
		return `SELECT id FROM connections WHERE refresh_lease_until > 0 AND refresh_lease_until <= $2
			AND status = 'active' AND check_lease_until <= $2 AND check_failures = 0 ORDER BY refresh_lease_until LIMIT $3` + tx.fragments.skipLocked
	}, micros(now), limit)
}

func (s *Store) claimChecks(ctx context.Context, until time.Time, due func(*tx) string, args ...any,
) ([]latchkey.DueCheck, error) {
	var list []latchkey.DueCheck
	err := s.fact(ctx, func(tx *tx) error {
		rows, err := tx.rows(`UPDATE connections SET check_lease_until = $1 WHERE id IN (`+due(tx)+`)
			RETURNING `+connectionColumns+`, check_failures`, append([]any{micros(until)}, args...)...)
		list, err = collect(rows, err, func(row scanner) (latchkey.DueCheck, error) {
			check := latchkey.DueCheck{LeaseUntil: moment(micros(until))}
			var err error
			check.Connection, err = scanConnectionAnd(row, &check.Failures)
			return check, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim checks: %w", err)
	}
	return list, nil
}

// FinishCheck remembers what came of a check and plans the next, which is not
// later than the credential's known end. Whose lease is over finishes nothing. It is no change of the connection.
func (s *Store) FinishCheck(ctx context.Context, check latchkey.DueCheck, outcome latchkey.CheckOutcome) error {
	return s.statement(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE connections SET check_lease_until = 0, check_failures = $4,
			check_due_at = CASE WHEN credential_ends_at > $6 AND (credential_ends_at < $3 OR $3 = 0)
				THEN credential_ends_at ELSE $3 END,
			last_checked_at = CASE WHEN last_checked_at < $5 THEN $5 ELSE last_checked_at END
			WHERE id = $1 AND check_lease_until = $2 AND status = 'active'`,
			check.Connection.ID, micros(check.LeaseUntil), micros(outcome.NextAt), outcome.Failures, micros(outcome.CheckedAt),
			micros(outcome.At))
		if err != nil {
			return fmt.Errorf("finish check of %s: %w", check.Connection.ID, err)
		}
		return nil
	})
}

// ExpiringConnections returns up to limit live connections whose apps are to
// be told that they are about to end.
func (s *Store) ExpiringConnections(ctx context.Context, now time.Time, limit int) ([]latchkey.ExpiringConnection, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT `+connectionColumns+`, credential_ends_at FROM connections
		WHERE warn_at > 0 AND warn_at <= $1 AND status = 'active' ORDER BY warn_at LIMIT $2`, micros(now), limit)
	list, err := collect(rows, err, func(row scanner) (latchkey.ExpiringConnection, error) {
		var expiring latchkey.ExpiringConnection
		var ends int64
		var err error
		expiring.Connection, err = scanConnectionAnd(row, &ends)
		expiring.EndsAt = moment(ends)
		return expiring, err
	})
	if err != nil {
		return nil, fmt.Errorf("list expiring connections: %w", err)
	}
	return list, nil
}

// WarnConnection tells the app once, by the event, that the connection read at
// the version before is about to end.
func (s *Store) WarnConnection(ctx context.Context, connection latchkey.Connection, event latchkey.Event) error {
	events := []latchkey.Event{event}
	err := s.fact(ctx, func(tx *tx) error {
		changed, err := tx.exec(`UPDATE connections SET warn_at = 0, version = $3, event_sequence = $4
			WHERE id = $1 AND version = $2 AND status = 'active' AND warn_at > 0`,
			connection.ID, connection.Version-1, connection.Version, connection.EventSequence)
		if err != nil {
			return fmt.Errorf("warn of the end of %s: %w", connection.ID, err)
		}
		if changed == 0 {
			return conflict("connection")
		}
		return insertEvents(tx, events)
	})
	s.wakeFor(err, events)
	return err
}
