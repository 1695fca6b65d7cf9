package link

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// eventBody is what is signed and sent: a superset of the two published
// envelopes.
type eventBody struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	EventType string    `json:"eventType"`
	Timestamp string    `json:"timestamp"`
	Live      bool      `json:"live"`
	Data      eventData `json:"data"`
}

type eventData struct {
	ClientReferenceID *string          `json:"clientReferenceId"`
	Connection        *eventConnection `json:"connection,omitzero"`
	Session           *eventSession    `json:"session,omitzero"`
}

type eventConnection struct {
	ID             string     `json:"id"`
	PlatformUserID string     `json:"platformUserId"`
	Status         string     `json:"status"`
	Permissions    []string   `json:"permissions,omitzero"`
	UserData       *eventUser `json:"userData,omitzero"`
	ExpiresAt      string     `json:"expiresAt,omitzero"` // of a warning
	Expiry         *Expiry    `json:"expiry,omitzero"`    // of a warning or an end
}

type eventUser struct {
	ID       string  `json:"id"`
	UserID   string  `json:"userId"`
	Name     string  `json:"name"`
	Username string  `json:"username"`
	Avatar   *string `json:"avatar"`
}

type eventSession struct {
	ID           string `json:"id"`
	Status       string `json:"status"`
	ErrorCode    string `json:"errorCode,omitzero"`
	Step         string `json:"step,omitzero"`
	ConnectionID string `json:"connectionId,omitzero"`
}

// completionEvents are the connection's created or updated, and the session's
// completed.
func (l *Links) completionEvents(session *latchkey.LinkSession, connection latchkey.Connection) ([]latchkey.Event, error) {
	eventType := latchkey.EventConnectionUpdated
	if connection.Version == 1 {
		eventType = latchkey.EventConnectionCreated
	}
	linked, err := l.connectionEvent(connection, eventType)
	if err != nil {
		return nil, err
	}
	completed, err := l.sessionEvents(session)
	if err != nil {
		return nil, err
	}
	return append([]latchkey.Event{linked}, completed...), nil
}

// connectionEvent makes the event of the connection's current sequence.
func (l *Links) connectionEvent(connection latchkey.Connection, eventType latchkey.EventType) (latchkey.Event, error) {
	about := &eventConnection{
		ID: connection.ID, PlatformUserID: connection.User.ID, Status: string(connection.Status),
	}
	if eventType == latchkey.EventConnectionCreated || eventType == latchkey.EventConnectionUpdated {
		about.Permissions = connection.Permissions
		about.UserData = &eventUser{
			ID: connection.User.ID, UserID: connection.User.ID, Name: connection.User.Name,
			Username: connection.User.Username, Avatar: orNil(connection.User.Avatar),
		}
	}
	return l.eventOf(connection, eventType, about)
}

// expiredEvent tells that the connection has expired, and how.
func (l *Links) expiredEvent(connection latchkey.Connection, expiry *Expiry) (latchkey.Event, error) {
	return l.eventOf(connection, latchkey.EventConnectionExpired, &eventConnection{
		ID: connection.ID, PlatformUserID: connection.User.ID, Status: string(connection.Status), Expiry: expiry,
	})
}

// expiringEvent warns of the known end of a connection.
func (l *Links) expiringEvent(connection latchkey.Connection, ends time.Time, expiry *Expiry) (latchkey.Event, error) {
	return l.eventOf(connection, latchkey.EventConnectionExpiring, &eventConnection{
		ID: connection.ID, PlatformUserID: connection.User.ID, Status: string(connection.Status),
		ExpiresAt: latchkey.FormatTime(ends), Expiry: expiry,
	})
}

func (l *Links) eventOf(connection latchkey.Connection, eventType latchkey.EventType, about *eventConnection,
) (latchkey.Event, error) {
	return l.event(connection.OrganisationID, connection.Environment, eventType, connection.ID,
		connection.EventSequence, eventData{ClientReferenceID: orNil(connection.ClientReferenceID), Connection: about})
}

// sessionEvents makes the one event of a session that has ended.
func (l *Links) sessionEvents(session *latchkey.LinkSession) ([]latchkey.Event, error) {
	var eventType latchkey.EventType
	switch session.State {
	case latchkey.StateCompleted:
		eventType = latchkey.EventSessionCompleted
	case latchkey.StateDenied:
		eventType = latchkey.EventSessionCancelled
	case latchkey.StateExpired:
		eventType = latchkey.EventSessionExpired
	default:
		eventType = latchkey.EventSessionFailed
	}
	about := &eventSession{
		ID: session.ID, Status: string(session.Status()), ErrorCode: string(session.Progress.Failure),
		ConnectionID: session.Progress.ConnectionID,
	}
	if Cancelled(session) {
		about.Step = string(session.Progress.Step)
	}
	event, err := l.event(session.OrganisationID, session.Environment, eventType, session.ID, session.Version,
		eventData{ClientReferenceID: orNil(session.Request.ClientReferenceID), Session: about})
	return []latchkey.Event{event}, err
}

func (l *Links) event(organisationID string, environment latchkey.Environment, eventType latchkey.EventType,
	subject string, sequence int64, data eventData,
) (latchkey.Event, error) {
	now := l.config.Now()
	id := latchkey.NewTimedID(l.config.Random, latchkey.PrefixEvent, now)
	body, err := json.Marshal(eventBody{
		ID: id, Type: string(eventType), EventType: string(eventType), Timestamp: latchkey.FormatTime(now),
		Live: environment == latchkey.Live, Data: data,
	})
	if err != nil {
		return latchkey.Event{}, fmt.Errorf("encode event of %s: %w", subject, err)
	}
	return latchkey.Event{
		ID: id, OrganisationID: organisationID, Environment: environment, Type: eventType, Subject: subject,
		Sequence: sequence, Body: body, CreatedAt: now,
	}, nil
}

// orNil returns nil for the empty string: null in JSON.
func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
