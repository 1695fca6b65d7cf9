package webhook

import (
	"context"
	"strconv"

	"latchkey"
)

// EventStore keeps what happened.
type EventStore interface {
	// EventsAfter returns up to limit events that come after the cursor, in an
	// order in which none appears behind a reader.
	EventsAfter(ctx context.Context, organisationID string, environment latchkey.Environment, cursor int64, limit int,
	) (latchkey.EventPage, error)
}

// EventLog is where organisations read what they would be told, at their own
// pace.
type EventLog struct{ store EventStore }

// NewEventLog returns the room.
func NewEventLog(store EventStore) *EventLog { return &EventLog{store} }

// After returns up to limit of the caller's events that come after the cursor
// that a page before ended with, from the oldest kept if that is empty, and the
// cursor that this one ends with.
func (l *EventLog) After(ctx context.Context, caller latchkey.Caller, after string, limit int,
) (page latchkey.EventPage, cursor string, err error) {
	var from int64
	if after != "" {
		if from, err = parseCursor("after", after); err != nil {
			return page, "", err
		}
	}
	page, err = l.store.EventsAfter(ctx, caller.OrganisationID, caller.Environment, from, limit)
	return page, strconv.FormatInt(page.Cursor, 10), err
}
