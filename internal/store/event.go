package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"latchkey"
)

// EventsAfter returns up to limit events of the organisation and environment
// that come after the cursor, which is where a page before ended; 0 is before
// the oldest. If the event there is no longer kept, everything that is comes
// again: nothing is ever passed by.
//
// The order is that of transactions, and within one that of appending. A
// transaction that took its place early and commits late must not appear
// behind a reader, so on PostgreSQL only those events show before which none
// can come any more: one open transaction, in any database of the server,
// holds back what began after it, until it ends. The events of one subject
// keep their order: each fact about it names the version that it read, so it
// began when the one before had committed.
func (s *Store) EventsAfter(ctx context.Context, organisationID string, environment latchkey.Environment,
	cursor int64, limit int,
) (latchkey.EventPage, error) {
	page := latchkey.EventPage{Cursor: cursor}
	at := beforeOldest
	if cursor != 0 {
		var err error
		if at, err = findPlace(ctx, s.read(), organisationID, environment, cursor); err != nil {
			return page, err
		}
	}
	differing := s.engine.fragments()
	rows, err := s.read().QueryContext(ctx, `SELECT position, id, type, subject, sequence, body, created_at FROM events
		WHERE organisation_id = $1 AND environment = $2 AND `+differing.after+differing.settled+`
		ORDER BY transaction_id, position LIMIT $5`,
		organisationID, string(environment), at.transaction, at.position, limit+1)
	var positions []int64
	page.Events, err = collect(rows, err, func(row scanner) (latchkey.Event, error) {
		event := latchkey.Event{OrganisationID: organisationID, Environment: environment}
		var position, created int64
		var eventType string
		err := row.Scan(&position, &event.ID, &eventType, &event.Subject, &event.Sequence, &event.Body, &created)
		event.Type, event.CreatedAt = latchkey.EventType(eventType), moment(created)
		positions = append(positions, position)
		return event, err
	})
	if err != nil {
		return page, fmt.Errorf("read events: %w", err)
	}
	if len(page.Events) > limit {
		page.Events, page.More = page.Events[:limit], true
	}
	if n := len(page.Events); n > 0 {
		page.Cursor = positions[n-1]
	}
	return page, nil
}

// place is where an event stands in the order of the log.
type place struct{ transaction, position int64 }

// beforeOldest is the place before all events.
var beforeOldest = place{transaction: math.MinInt64}

// findPlace returns the place of a cursor: before the oldest if there is no such
// event of the organisation and environment.
func findPlace(ctx context.Context, run reader, organisationID string, environment latchkey.Environment, cursor int64,
) (place, error) {
	at := place{position: cursor}
	err := run.QueryRowContext(ctx, `SELECT transaction_id FROM events
		WHERE position = $1 AND organisation_id = $2 AND environment = $3`,
		cursor, organisationID, string(environment)).Scan(&at.transaction)
	if errors.Is(err, sql.ErrNoRows) {
		return beforeOldest, nil
	}
	if err != nil {
		return at, fmt.Errorf("find the cursor: %w", err)
	}
	return at, nil
}

// newestEvents is how many events are looked at to tell that they come from
// another server. Within so many the newest transaction is found for sure, as
// there are never as many open at once.
const newestEvents = 1000

// adoptEvents moves the transactions of events that another server has written,
// as after a dump and restore, before all of this one's, keeping their order.
// Else they would show only when this server has counted as far.
func (e *postgresEngine) adoptEvents(ctx context.Context) error {
	var foreign bool
	const isForeign = `SELECT COALESCE(MAX(transaction_id), 0) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
		FROM (SELECT transaction_id FROM events ORDER BY position DESC LIMIT $1) newest`
	if err := e.db.QueryRowContext(ctx, isForeign, newestEvents).Scan(&foreign); err != nil {
		return fmt.Errorf("look at the newest events: %w", err)
	}
	if !foreign {
		return nil
	}
	return e.tryWrite(ctx, func(tx *tx) error { // it takes what it takes
		// One replica does it, and looks again when the others have.
		if _, err := tx.exec(`LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return fmt.Errorf("lock the events: %w", err)
		}
		if err := tx.row(isForeign, newestEvents).Scan(&foreign); err != nil || !foreign {
			return err
		}
		_, err := tx.exec(`UPDATE events SET transaction_id = transaction_id - (SELECT MAX(transaction_id) FROM events)`)
		if err != nil {
			return fmt.Errorf("adopt the events of another server: %w", err)
		}
		return nil
	})
}
