package link

import (
	"context"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// Connection returns one of the caller's connections.
func (l *Links) Connection(ctx context.Context, caller latchkey.Caller, id string) (latchkey.Connection, error) {
	if !latchkey.ValidID(id, latchkey.PrefixConnection) {
		return latchkey.Connection{}, latchkey.Errorf(latchkey.NotFound, "no such connection")
	}
	return l.config.Connections.Connection(ctx, caller.OrganisationID, caller.Environment, id)
}

// Connections lists the caller's connections that fit the filter, and whether
// there are more.
func (l *Links) Connections(ctx context.Context, caller latchkey.Caller, filter latchkey.ConnectionFilter,
) ([]latchkey.Connection, bool, error) {
	filter.OrganisationID, filter.Environment = caller.OrganisationID, caller.Environment
	return l.config.Connections.Connections(ctx, filter)
}

// Invalidate expires a connection and logs it out at its provider. One that
// has expired already stays as it is.
func (l *Links) Invalidate(ctx context.Context, caller latchkey.Caller, id string) error {
	return l.endConnection(ctx, caller, id, func(connection latchkey.Connection) (bool, error) {
		if connection.Status == latchkey.ConnectionExpired {
			return false, nil
		}
		return true, l.expireConnection(ctx, connection, "invalidated", caller.KeyID)
	})
}

// Disconnect removes a connection and revokes it at its provider.
func (l *Links) Disconnect(ctx context.Context, caller latchkey.Caller, id string) error {
	return l.endConnection(ctx, caller, id, func(connection latchkey.Connection) (bool, error) {
		return true, l.removeConnection(ctx, connection, caller.KeyID)
	})
}

func (l *Links) removeConnection(ctx context.Context, connection latchkey.Connection, actor string) error {
	ended := connection
	ended.Version++
	ended.EventSequence++
	ended.Status, ended.UpdatedAt = latchkey.ConnectionExpired, l.config.Now()
	event, err := l.connectionEvent(ended, latchkey.EventConnectionDisconnected)
	if err != nil {
		return err
	}
	return l.config.Connections.RemoveConnection(ctx, ended, event,
		l.endRecord(ended, latchkey.AuditDisconnected, actor, "disconnected"))
}

// Died expires a connection whose provider no longer accepts it. There is
// nothing left to revoke. That it has changed meanwhile is no error.
func (l *Links) Died(ctx context.Context, connection latchkey.Connection, reason string) error {
	ended, event, err := l.expired(ctx, connection, reason)
	if err != nil {
		return err
	}
	err = l.config.Connections.ExpireConnection(ctx, ended, false, event,
		l.endRecord(ended, latchkey.AuditInvalidated, system, reason))
	if latchkey.CodeOf(err) == latchkey.Conflict {
		return nil
	}
	return err
}

// endConnection ends one of the caller's connections, trying again when it
// changes meanwhile, and then its credential upstream, at once if possible.
func (l *Links) endConnection(ctx context.Context, caller latchkey.Caller, id string,
	end func(latchkey.Connection) (bool, error),
) error {
	for range 5 {
		connection, err := l.Connection(ctx, caller, id)
		if err != nil {
			return err
		}
		ended, err := end(connection)
		if latchkey.CodeOf(err) == latchkey.Conflict {
			continue
		}
		if err == nil && ended {
			l.revokeNow(ctx, connection)
		}
		return err
	}
	return latchkey.Errorf(latchkey.Conflict, "the connection is being changed; try again")
}

func (l *Links) expireConnection(ctx context.Context, connection latchkey.Connection, reason, actor string) error {
	ended, event, err := l.expired(ctx, connection, reason)
	if err != nil {
		return err
	}
	return l.config.Connections.ExpireConnection(ctx, ended, true, event,
		l.endRecord(ended, latchkey.AuditInvalidated, actor, reason))
}

// expired returns the connection as it is after its end, with the event.
func (l *Links) expired(ctx context.Context, connection latchkey.Connection, reason string,
) (latchkey.Connection, latchkey.Event, error) {
	connection.Version++
	connection.EventSequence++
	connection.Status, connection.ExpiryReason = latchkey.ConnectionExpired, reason
	connection.UpdatedAt = l.config.Now()
	connection.ExpiredAt = connection.UpdatedAt
	expiry, err := l.Expiries()(ctx, connection)
	if err != nil {
		return connection, latchkey.Event{}, err
	}
	event, err := l.expiredEvent(connection, expiry)
	return connection, event, err
}

func (l *Links) endRecord(connection latchkey.Connection, action latchkey.AuditAction, actor, reason string,
) latchkey.AuditRecord {
	detail, err := json.Marshal(map[string]string{"reason": reason, "provider": connection.Provider})
	if err != nil {
		detail = []byte("{}")
	}
	return latchkey.AuditRecord{
		OrganisationID: connection.OrganisationID, Environment: connection.Environment, Actor: actor, Action: action,
		Subject: connection.ID, Detail: string(detail), CreatedAt: connection.UpdatedAt,
	}
}
