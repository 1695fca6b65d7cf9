package link

import (
	"context"
	"errors"

	"latchkey"
	"latchkey/internal/connector"
)

// complete makes the connection, or renews the one that is there for the same
// account and reference, and ends the session in it.
func (l *Links) complete(ctx context.Context, claimed *latchkey.LinkSession, done connector.Done,
) (*latchkey.LinkSession, error) {
	defer clear(done.Credential.Secret)
	if done.User.ID == "" || len(done.Credential.Secret) == 0 {
		return l.unavailable(ctx, claimed, errors.New("the provider named no user or gave no credential"))
	}
	connection := l.newConnection(claimed, done.User)
	if id := claimed.Request.ConnectionID; id != "" {
		existing, err := l.config.Connections.Connection(ctx, claimed.OrganisationID, claimed.Environment, id)
		if err != nil && latchkey.CodeOf(err) != latchkey.NotFound {
			return nil, err
		}
		if err != nil || existing.User.ID != done.User.ID {
			return l.fail(ctx, claimed, &connector.Failure{
				Code: latchkey.FailureAccountMismatch, Reason: "another account logged in than the connection's",
			})
		}
		connection = l.renewed(existing, connection)
	}
	for range 5 {
		session, twin, err := l.completeAs(ctx, claimed, connection, done)
		if twin == nil {
			return session, err
		}
		connection = l.renewed(*twin, connection)
	}
	return nil, moved()
}

// completeAs seals the credential for the connection and writes both. It
// returns the twin when the account is linked already.
func (l *Links) completeAs(ctx context.Context, claimed *latchkey.LinkSession, connection latchkey.Connection,
	done connector.Done,
) (*latchkey.LinkSession, *latchkey.Connection, error) {
	sealed, err := l.config.Sealer.SealCredential(connection.OrganisationID, connection.ID, done.Credential.Secret)
	if err != nil {
		return nil, nil, err
	}
	next := l.settled(claimed, latchkey.StateCompleted)
	next.Flow, next.Progress.Prompt = nil, latchkey.Prompt{}
	next.Progress.ConnectionID, next.Progress.UserData = connection.ID, &connection.User
	events, err := l.completionEvents(next, connection)
	if err != nil {
		return nil, nil, err
	}
	if !claimed.State.CanBecome(next.State) {
		return nil, nil, moved()
	}
	err = l.config.Sessions.CompleteLink(ctx, next, claimed.Version, connection,
		latchkey.SealedCredential{Bytes: sealed, ExpiresAt: done.Credential.ExpiresAt}, latchkey.Consequences{Events: events})
	var twin interface{ Twin() latchkey.Connection }
	if errors.As(err, &twin) {
		existing := twin.Twin()
		return nil, &existing, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return next, nil, nil
}

func (l *Links) newConnection(session *latchkey.LinkSession, user latchkey.UserData) latchkey.Connection {
	now := l.config.Now()
	permissions := make([]string, len(session.Request.Permissions))
	for i, permission := range session.Request.Permissions {
		permissions[i] = permission.Name
	}
	return latchkey.Connection{
		ID:             latchkey.NewID(l.config.Random, latchkey.PrefixConnection),
		OrganisationID: session.OrganisationID, Environment: session.Environment, ClientAppID: session.ClientAppID,
		Provider: session.Progress.Provider, ClientReferenceID: session.Request.ClientReferenceID,
		Status: latchkey.ConnectionActive, User: user, Permissions: permissions, Metadata: session.Request.Metadata,
		Geolocation: session.Request.Geolocation, Version: 1, EventSequence: 1, CreatedAt: now, UpdatedAt: now,
	}
}

// renewed returns the existing connection with what the new login brought.
func (l *Links) renewed(existing, fresh latchkey.Connection) latchkey.Connection {
	existing.Version++
	existing.EventSequence++
	existing.Status = latchkey.ConnectionActive
	existing.User, existing.Permissions = fresh.User, fresh.Permissions
	if fresh.Metadata != nil {
		existing.Metadata = fresh.Metadata
	}
	existing.ExpiryReason, existing.ExpiredAt = "", fresh.ExpiredAt
	existing.UpdatedAt = l.config.Now()
	return existing
}
