package simtest

import (
	"context"
	"slices"
	"time"

	"latchkey"
)

// CreateLinkSession starts a session. With a bug planted it is acknowledged
// before it is written, and a crash forgets it.
func (s shelf) CreateLinkSession(ctx context.Context, session *latchkey.LinkSession) error {
	if s.bug == bugForgetful {
		return tell(ctx, s, "CreateLinkSession", session.ID, func(context.Context) error {
			s.unwritten.add(s.replica, session)
			return nil
		})
	}
	return tell(ctx, s, "CreateLinkSession", session.ID, func(ctx context.Context) error {
		return s.database.store.CreateLinkSession(ctx, session)
	})
}

// CreateLinkSessionOnce starts a session under a key.
func (s shelf) CreateLinkSessionOnce(ctx context.Context, session *latchkey.LinkSession, key latchkey.IdempotencyKey,
	since time.Time,
) (*latchkey.IdempotencyKey, error) {
	return ask(ctx, s, "CreateLinkSessionOnce", session.ID, func(ctx context.Context) (*latchkey.IdempotencyKey, error) {
		return s.database.store.CreateLinkSessionOnce(ctx, session, key, since)
	})
}

// LinkSessions lists sessions.
func (s shelf) LinkSessions(ctx context.Context, filter latchkey.SessionFilter) ([]*latchkey.LinkSession, bool, error) {
	found, err := ask(ctx, s, "LinkSessions", "", func(ctx context.Context) (two[[]*latchkey.LinkSession, bool], error) {
		list, more, err := s.database.store.LinkSessions(ctx, filter)
		return two[[]*latchkey.LinkSession, bool]{list, more}, err
	})
	return found.a, found.b, err
}

// LinkSessionBySecret finds a session.
func (s shelf) LinkSessionBySecret(ctx context.Context, secretHash string) (*latchkey.LinkSession, error) {
	return ask(ctx, s, "LinkSessionBySecret", secretHash, func(ctx context.Context) (*latchkey.LinkSession, error) {
		s.unwritten.write(ctx, s.database.store, secretHash)
		return s.database.store.LinkSessionBySecret(ctx, secretHash)
	})
}

// LinkSession finds a session of an organisation.
func (s shelf) LinkSession(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (*latchkey.LinkSession, error) {
	return ask(ctx, s, "LinkSession", id, func(ctx context.Context) (*latchkey.LinkSession, error) {
		return s.database.store.LinkSession(ctx, organisationID, environment, id)
	})
}

// AdvanceLinkSession takes a session a step on. With a bug planted the record
// of a consent is left out.
func (s shelf) AdvanceLinkSession(ctx context.Context, session *latchkey.LinkSession, version int64,
	follows latchkey.Consequences,
) error {
	if s.bug == bugUnasked {
		follows.Records = slices.DeleteFunc(slices.Clone(follows.Records), func(record latchkey.AuditRecord) bool {
			return record.Action == latchkey.AuditConsent
		})
	}
	return tell(ctx, s, "AdvanceLinkSession", session.ID, func(ctx context.Context) error {
		return s.database.store.AdvanceLinkSession(ctx, session, version, follows)
	}, func() {
		s.promises.touchIf(len(follows.Revocations) > 0)
		s.journal.happened(follows.Events)
	})
}

// CompleteLink ends a session in a connection.
func (s shelf) CompleteLink(ctx context.Context, session *latchkey.LinkSession, version int64,
	connection latchkey.Connection, sealed latchkey.SealedCredential, follows latchkey.Consequences,
) error {
	return tell(ctx, s, "CompleteLink", session.ID, func(ctx context.Context) error {
		return s.database.store.CompleteLink(ctx, session, version, connection, sealed, follows)
	}, func() {
		s.journal.linked(connection)
		s.journal.happened(follows.Events)
	})
}

// OverdueLinkSessions lists sessions that are past their time.
func (s shelf) OverdueLinkSessions(ctx context.Context, now time.Time, limit int) ([]*latchkey.LinkSession, error) {
	return ask(ctx, s, "OverdueLinkSessions", "", func(ctx context.Context) ([]*latchkey.LinkSession, error) {
		return s.database.store.OverdueLinkSessions(ctx, now, limit)
	})
}

// ClientApp finds an app.
func (s shelf) ClientApp(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.ClientApp, error) {
	return ask(ctx, s, "ClientApp", id, func(ctx context.Context) (latchkey.ClientApp, error) {
		return s.database.store.ClientApp(ctx, organisationID, environment, id)
	})
}

// OldestClientApp finds an organisation's first app.
func (s shelf) OldestClientApp(ctx context.Context, organisationID string, environment latchkey.Environment,
	types []latchkey.AppType,
) (latchkey.ClientApp, error) {
	return ask(ctx, s, "OldestClientApp", organisationID, func(ctx context.Context) (latchkey.ClientApp, error) {
		return s.database.store.OldestClientApp(ctx, organisationID, environment, types)
	})
}
