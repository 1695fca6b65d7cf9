package latchkey

import (
	"context"
	"iter"
	"net/url"
	"time"
)

// EventsService tells what has happened, for those who ask instead of being
// told. Its calls need the scope ADMIN.
type EventsService struct{ client *Client }

// EventType names what happened.
type EventType string

// The types of events. EventAll is for endpoints that want every one.
const (
	EventAll                    EventType = "*"
	EventConnectionCreated      EventType = "connection.created"
	EventConnectionUpdated      EventType = "connection.updated"  // linked anew
	EventConnectionExpiring     EventType = "connection.expiring" // the person must link again before ExpiresAt
	EventConnectionExpired      EventType = "connection.expired"  // the person must link again
	EventConnectionDisconnected EventType = "connection.disconnected"
	EventSessionCompleted       EventType = "link.session.completed"
	EventSessionCancelled       EventType = "link.session.cancelled"
	EventSessionFailed          EventType = "link.session.failed"
	EventSessionExpired         EventType = "link.session.expired"
)

// Event is something that happened, as Events lists it and webhooks tell it.
type Event struct {
	ID        string    `json:"id"` // evt_…; the same event may be told more than once
	Type      EventType `json:"type"`
	EventType EventType `json:"eventType"` // the same as Type
	Timestamp time.Time `json:"timestamp"`
	Live      bool      `json:"live"`
	Data      EventData `json:"data"`
}

// EventData is what it happened to: a connection or a session.
type EventData struct {
	ClientReferenceID *string          `json:"clientReferenceId"`
	Connection        *EventConnection `json:"connection,omitempty"` // connection.… events
	Session           *EventSession    `json:"session,omitempty"`    // link.session.… events
}

// EventConnection is the connection of an event. Permissions and UserData come
// when it was created or updated, ExpiresAt when it is about to end, Expiry then
// and when it has expired.
type EventConnection struct {
	ID             string           `json:"id"` // conn_…
	PlatformUserID string           `json:"platformUserId"`
	Status         ConnectionStatus `json:"status"`
	Permissions    []string         `json:"permissions,omitempty"`
	UserData       *EventUserData   `json:"userData,omitempty"`
	ExpiresAt      *time.Time       `json:"expiresAt,omitempty"`
	Expiry         *Expiry          `json:"expiry,omitempty"`
}

// EventUserData is the linked person. UserID repeats ID.
type EventUserData struct {
	ID       string  `json:"id"`
	UserID   string  `json:"userId"`
	Name     string  `json:"name"`
	Username string  `json:"username"`
	Avatar   *string `json:"avatar"`
}

// EventSession is the session of an event, which has ended.
type EventSession struct {
	ID           string        `json:"id"` // ls_…
	Status       SessionStatus `json:"status"`
	ErrorCode    FailureCode   `json:"errorCode,omitempty"`
	Step         StepName      `json:"step,omitempty"` // where the person gave up
	ConnectionID string        `json:"connectionId,omitempty"`
}

// EventPage is one page of events, oldest first.
type EventPage struct {
	List    []Event `json:"list"`
	HasMore bool    `json:"hasMore"`
	Cursor  string  `json:"cursor"` // where the page ends: the After of the next
}

// EventFilter says which page of events is wanted.
type EventFilter struct {
	After string // the Cursor of a page; empty: from the oldest that is kept
	Limit int    // 1 to 100; 0: 10
}

func (f EventFilter) query() url.Values { return query{}.text("after", f.After).page(f.Limit, 0) }

// List returns one page of events, oldest first.
func (s *EventsService) List(ctx context.Context, filter EventFilter) (*EventPage, error) {
	return get[EventPage](ctx, s.client, call{pattern: "GET /v2/events", query: filter.query()})
}

// Pages reads page after page, from the cursor to the newest event. Keep the
// Cursor of a page once its events are dealt with, and begin there next time.
func (s *EventsService) Pages(ctx context.Context, after string) iter.Seq2[*EventPage, error] {
	return func(yield func(*EventPage, error) bool) {
		for {
			page, err := s.List(ctx, EventFilter{After: after, Limit: fullPage})
			if err != nil {
				yield(nil, err)
				return
			}
			stuck := page.Cursor == after
			if !yield(page, nil) || !page.HasMore || stuck {
				return
			}
			after = page.Cursor
		}
	}
}

// All reads all events from the cursor to the newest, page by page.
func (s *EventsService) All(ctx context.Context, after string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for page, err := range s.Pages(ctx, after) {
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, event := range page.List {
				if !yield(event, nil) {
					return
				}
			}
		}
	}
}
