package simtest

import (
	"context"
	"time"

	"latchkey"
)

// Connection finds a connection of an organisation.
func (s shelf) Connection(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.Connection, error) {
	return ask(ctx, s, "Connection", id, func(ctx context.Context) (latchkey.Connection, error) {
		return s.database.store.Connection(ctx, organisationID, environment, id)
	})
}

// ConnectionByID finds a connection of whichever organisation.
func (s shelf) ConnectionByID(ctx context.Context, id string) (latchkey.Connection, error) {
	return ask(ctx, s, "ConnectionByID", id, func(ctx context.Context) (latchkey.Connection, error) {
		return s.database.store.ConnectionByID(ctx, id)
	})
}

// Connections lists connections.
func (s shelf) Connections(ctx context.Context, filter latchkey.ConnectionFilter) ([]latchkey.Connection, bool, error) {
	found, err := ask(ctx, s, "Connections", filter.OrganisationID, func(ctx context.Context) (two[[]latchkey.Connection, bool], error) {
		list, more, err := s.database.store.Connections(ctx, filter)
		return two[[]latchkey.Connection, bool]{list, more}, err
	})
	return found.a, found.b, err
}

// WriteConnection adds or replaces a connection.
func (s shelf) WriteConnection(ctx context.Context, connection latchkey.Connection, sealed latchkey.SealedCredential,
	follows latchkey.Consequences,
) error {
	return tell(ctx, s, "WriteConnection", connection.ID, func(ctx context.Context) error {
		return s.database.store.WriteConnection(ctx, connection, sealed, follows)
	}, func() {
		s.journal.linked(connection)
		s.journal.happened(follows.Events)
	})
}

// UpdateConnection changes what an app may set.
func (s shelf) UpdateConnection(ctx context.Context, connection latchkey.Connection) error {
	return tell(ctx, s, "UpdateConnection", connection.ID, func(ctx context.Context) error {
		return s.database.store.UpdateConnection(ctx, connection)
	})
}

// ExpireConnection expires a connection.
func (s shelf) ExpireConnection(ctx context.Context, connection latchkey.Connection, revoke bool, event latchkey.Event,
	record latchkey.AuditRecord,
) error {
	return tell(ctx, s, "ExpireConnection", connection.ID, func(ctx context.Context) error {
		return s.database.store.ExpireConnection(ctx, connection, revoke, event, record)
	}, func() { s.ended(connection, event) })
}

// RemoveConnection removes a connection.
func (s shelf) RemoveConnection(ctx context.Context, connection latchkey.Connection, event latchkey.Event,
	record latchkey.AuditRecord,
) error {
	return tell(ctx, s, "RemoveConnection", connection.ID, func(ctx context.Context) error {
		return s.database.store.RemoveConnection(ctx, connection, event, record)
	}, func() { s.ended(connection, event) })
}

func (s shelf) ended(connection latchkey.Connection, event latchkey.Event) {
	s.promises.touch()
	s.journal.ended(connection)
	s.journal.happened([]latchkey.Event{event})
}

// DueChecks tells whose connections are due.
func (s shelf) DueChecks(ctx context.Context, providers []string, now time.Time) ([]string, bool, error) {
	found, err := ask(ctx, s, "DueChecks", "", func(ctx context.Context) (two[[]string, bool], error) {
		due, interrupted, err := s.database.store.DueChecks(ctx, providers, now)
		return two[[]string, bool]{due, interrupted}, err
	})
	return found.a, found.b, err
}

// ClaimChecks claims connections that are due.
func (s shelf) ClaimChecks(ctx context.Context, provider string, now time.Time, limit int, lease time.Duration,
) ([]latchkey.DueCheck, error) {
	return ask(ctx, s, "ClaimChecks", provider, func(ctx context.Context) ([]latchkey.DueCheck, error) {
		return s.database.store.ClaimChecks(ctx, provider, now, limit, lease)
	})
}

// ClaimInterrupted claims connections whose refresh was cut short.
func (s shelf) ClaimInterrupted(ctx context.Context, now time.Time, limit int, lease time.Duration,
) ([]latchkey.DueCheck, error) {
	return ask(ctx, s, "ClaimInterrupted", "", func(ctx context.Context) ([]latchkey.DueCheck, error) {
		return s.database.store.ClaimInterrupted(ctx, now, limit, lease)
	})
}

// FinishCheck writes what came of a check.
func (s shelf) FinishCheck(ctx context.Context, check latchkey.DueCheck, outcome latchkey.CheckOutcome) error {
	return tell(ctx, s, "FinishCheck", check.Connection.ID, func(ctx context.Context) error {
		return s.database.store.FinishCheck(ctx, check, outcome)
	})
}

// ExpiringConnections lists connections that are about to end.
func (s shelf) ExpiringConnections(ctx context.Context, now time.Time, limit int) ([]latchkey.ExpiringConnection, error) {
	return ask(ctx, s, "ExpiringConnections", "", func(ctx context.Context) ([]latchkey.ExpiringConnection, error) {
		return s.database.store.ExpiringConnections(ctx, now, limit)
	})
}

// WarnConnection notes that an app was warned.
func (s shelf) WarnConnection(ctx context.Context, connection latchkey.Connection, event latchkey.Event) error {
	return tell(ctx, s, "WarnConnection", connection.ID, func(ctx context.Context) error {
		return s.database.store.WarnConnection(ctx, connection, event)
	}, func() { s.journal.happened([]latchkey.Event{event}) })
}
