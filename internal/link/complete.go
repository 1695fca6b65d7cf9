package link

import (
	"cmp"
	"context"
	"errors"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// twinRounds bounds how often a completion or a change of a connection is tried
// again because another was faster.
const twinRounds = 100

// done takes a finished login: a connection comes of it at once, or when the
// app's backend has confirmed it.
func (l *Links) done(ctx context.Context, trial tried, done connector.Done) (*latchkey.LinkSession, error) {
	defer clear(done.Credential.Secret)
	if done.User.ID == "" || len(done.Credential.Secret) == 0 {
		return l.unavailable(ctx, trial, errors.New("the provider named no user or gave no credential"))
	}
	if mismatch, err := l.mismatches(ctx, trial.LinkSession, done.User); err != nil {
		return nil, err
	} else if mismatch {
		revocation, err := l.unused(l.newConnection(trial.LinkSession, done.User), done)
		if err != nil {
			return nil, err
		}
		trial.Progress.Came = accountName(done.User)
		return l.failWith(ctx, trial, &connector.Failure{
			Code: latchkey.FailureAccountMismatch, Reason: "another account logged in than the connection's",
		}, []latchkey.Revocation{revocation})
	}
	if trial.Request.Confirm {
		return l.hold(ctx, trial, done)
	}
	return l.complete(ctx, trial, done)
}

// accountName is what a person knows an account by.
func accountName(user latchkey.UserData) string { return cmp.Or(user.Username, user.Name) }

// mismatches reports whether the session reconnects a connection of another
// account, or one that is gone.
func (l *Links) mismatches(ctx context.Context, session *latchkey.LinkSession, user latchkey.UserData) (bool, error) {
	if session.Request.ConnectionID == "" {
		return false, nil
	}
	existing, err := l.config.Connections.Connection(ctx, session.OrganisationID, session.Environment, session.Request.ConnectionID)
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return true, nil
	}
	return err == nil && existing.User.ID != user.ID, err
}

// complete makes the connection, or renews the one that is there for the same
// account and reference, and ends the session in it.
func (l *Links) complete(ctx context.Context, trial tried, done connector.Done) (*latchkey.LinkSession, error) {
	fresh := l.newConnection(trial.LinkSession, done.User)
	connection := fresh
	if id := trial.Request.ConnectionID; id != "" {
		existing, err := l.config.Connections.Connection(ctx, trial.OrganisationID, trial.Environment, id)
		if err != nil {
			return nil, err
		}
		connection = l.renewed(existing, fresh)
	}
	for range twinRounds {
		session, twin, err := l.completeAs(ctx, trial, connection, done)
		if twin == nil {
			return session, err
		}
		connection = l.renewed(*twin, fresh)
	}
	return nil, moved()
}

// completeAs seals the credential for the connection and writes both. It
// returns the twin when the account is linked already.
func (l *Links) completeAs(ctx context.Context, trial tried, connection latchkey.Connection,
	done connector.Done,
) (*latchkey.LinkSession, *latchkey.Connection, error) {
	sealed, err := l.config.Sealer.SealCredential(connection.OrganisationID, connection.ID, done.Credential.Secret)
	if err != nil {
		return nil, nil, err
	}
	next := l.settled(trial.LinkSession, latchkey.StateCompleted)
	next.Flow, next.Progress.Prompt = nil, latchkey.Prompt{}
	next.Progress.ConnectionID, next.Progress.UserData = connection.ID, &connection.User
	next.Progress.CodeHash, next.Progress.CodeEndsAt = "", time.Time{}
	events, err := l.completionEvents(next, connection)
	if err != nil {
		return nil, nil, err
	}
	if !trial.State.CanBecome(next.State) {
		return nil, nil, moved()
	}
	version, follows := trial.since(latchkey.Consequences{Events: events, Release: trial.taken})
	err = l.config.Sessions.CompleteLink(ctx, next, version, connection, l.planned(connection, sealed, done.Credential), follows)
	if twin := twinOf(err); twin != nil {
		return nil, twin, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return next, nil, nil
}

// twinOf returns the connection that stands in the way, if that is the error.
func twinOf(err error) *latchkey.Connection {
	var twin interface{ Twin() latchkey.Connection }
	if !errors.As(err, &twin) {
		return nil
	}
	existing := twin.Twin()
	return &existing
}

func (l *Links) newConnection(session *latchkey.LinkSession, user latchkey.UserData) latchkey.Connection {
	now := l.config.Now()
	permissions := make([]string, len(session.Request.Permissions))
	for i, permission := range session.Request.Permissions {
		permissions[i] = permission.Name
	}
	return latchkey.Connection{
		ID:             latchkey.NewTimedID(l.config.Random, latchkey.PrefixConnection, now),
		OrganisationID: session.OrganisationID, Environment: session.Environment, ClientAppID: session.ClientAppID,
		Provider: session.Progress.Provider, ClientReferenceID: session.Request.ClientReferenceID,
		Status: latchkey.ConnectionActive, User: user, Permissions: permissions, Metadata: session.Request.Metadata,
		Geolocation: session.Place(), Exit: session.Progress.Exit, SessionID: session.ID, Version: 1, EventSequence: 1, CreatedAt: now, UpdatedAt: now,
	}
}

// renewed returns the existing connection with what the new login brought.
func (l *Links) renewed(existing, fresh latchkey.Connection) latchkey.Connection {
	existing.Version++
	existing.EventSequence++
	existing.Status = latchkey.ConnectionActive
	existing.User, existing.Permissions, existing.SessionID = fresh.User, fresh.Permissions, fresh.SessionID
	if fresh.Metadata != nil {
		existing.Metadata = fresh.Metadata
	}
	if fresh.Geolocation != nil {
		existing.Geolocation = fresh.Geolocation
	}
	existing.Exit = fresh.Exit
	existing.ExpiryReason, existing.ExpiredAt = "", fresh.ExpiredAt
	existing.UpdatedAt = l.config.Now()
	return existing
}

// unused is the promise to end a login from which no connection came; the given
// one would have come of it.
func (l *Links) unused(connection latchkey.Connection, done connector.Done) (latchkey.Revocation, error) {
	sealed, err := l.config.Sealer.SealCredential(connection.OrganisationID, connection.ID, done.Credential.Secret)
	if err != nil {
		return latchkey.Revocation{}, err
	}
	now := l.config.Now()
	return latchkey.Revocation{
		ID: latchkey.RevocationID(connection.ID, connection.Version), Connection: connection, Credential: sealed,
		DueAt: now, CreatedAt: now,
	}, nil
}
