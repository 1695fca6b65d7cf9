package link

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
)

// ImportRequest is a login that an app already has: the cookie of a session at
// the provider with the user agent it belongs to, or credentials to log in
// with. The caller zeroes the secrets.
type ImportRequest struct {
	Provider          string // required with credentials
	Cookie            latchkey.Secret
	UserAgent         latchkey.Secret
	Credentials       map[string]latchkey.Secret
	Permissions       []string // nil: all of the app's
	ClientReferenceID string
}

// Import makes a connection of a login that the app brings, once the provider
// has confirmed it. The same account with the same reference is renewed.
func (l *Links) Import(ctx context.Context, caller latchkey.Caller, request ImportRequest) (latchkey.Connection, error) {
	if err := validateReference(InitRequest{ClientReferenceID: request.ClientReferenceID}); err != nil {
		return latchkey.Connection{}, err
	}
	app, permissions, err := l.importApp(ctx, caller, request.Permissions)
	if err != nil {
		return latchkey.Connection{}, err
	}
	if request.Provider == "" {
		if request.Provider, err = l.importer(app, caller.Environment); err != nil {
			return latchkey.Connection{}, err
		}
	}
	now := l.config.Now()
	fresh := latchkey.Connection{
		ID: latchkey.NewTimedID(l.config.Random, latchkey.PrefixConnection, now), OrganisationID: caller.OrganisationID,
		Environment: caller.Environment, ClientAppID: app.ID, Provider: request.Provider,
		ClientReferenceID: request.ClientReferenceID, Status: latchkey.ConnectionActive, Permissions: permissions,
		Imported: true, Version: 1, EventSequence: 1, CreatedAt: now, UpdatedAt: now, LastCheckedAt: now,
	}
	done, err := l.importLogin(ctx, fresh, request)
	if err != nil {
		return latchkey.Connection{}, err
	}
	defer clear(done.Credential.Secret)
	fresh.User = done.User
	connection, err := l.keepFresh(ctx, caller, fresh, done)
	if err != nil {
		l.discard(ctx, fresh, request, done)
	}
	return connection, err
}

// keepFresh writes a new connection, or renews the one that is there for the
// same account and reference.
func (l *Links) keepFresh(ctx context.Context, caller latchkey.Caller, fresh latchkey.Connection, done connector.Done,
) (latchkey.Connection, error) {
	connection := fresh
	for range twinRounds {
		err := l.keepImported(ctx, caller, connection, done)
		twin := twinOf(err)
		if twin == nil {
			return connection, err
		}
		connection = l.reimported(*twin, fresh)
	}
	return connection, changing()
}

// Reimport gives an imported connection a new login of the same account.
func (l *Links) Reimport(ctx context.Context, caller latchkey.Caller, id string, request ImportRequest,
) (latchkey.Connection, error) {
	existing, err := l.imported(ctx, caller, id)
	if err != nil {
		return existing, err
	}
	request.Provider = existing.Provider
	fresh := existing
	done, err := l.importLogin(ctx, fresh, request)
	if err != nil {
		return existing, err
	}
	defer clear(done.Credential.Secret)
	if done.User.ID != existing.User.ID {
		l.discard(ctx, fresh, request, done)
		return existing, latchkey.Errorf(latchkey.Conflict, "these credentials are of another account than the connection's")
	}
	fresh.User = done.User
	connection, err := l.keepRenewed(ctx, caller, existing, fresh, done)
	if err != nil {
		l.discard(ctx, fresh, request, done)
	}
	return connection, err
}

// keepRenewed writes the existing connection with its new login, looking again
// when it has changed meanwhile.
func (l *Links) keepRenewed(ctx context.Context, caller latchkey.Caller, existing, fresh latchkey.Connection,
	done connector.Done,
) (latchkey.Connection, error) {
	for range twinRounds {
		connection := l.reimported(existing, fresh)
		err := l.keepImported(ctx, caller, connection, done)
		if twinOf(err) == nil && latchkey.CodeOf(err) != latchkey.Conflict {
			return connection, err
		}
		if existing, err = l.imported(ctx, caller, existing.ID); err != nil {
			return existing, err
		}
	}
	return existing, changing()
}

// imported returns one of the caller's connections that was imported and whose
// client app may have it renewed.
func (l *Links) imported(ctx context.Context, caller latchkey.Caller, id string) (latchkey.Connection, error) {
	connection, err := l.Connection(ctx, caller, id)
	if err != nil {
		return connection, err
	}
	if !connection.Imported {
		return connection, latchkey.Errorf(latchkey.NotFound, "no such imported connection")
	}
	app, err := l.apps.ClientApp(ctx, caller.OrganisationID, caller.Environment, connection.ClientAppID)
	if err == nil && app.Suspended {
		err = suspended()
	}
	if latchkey.CodeOf(err) == latchkey.NotFound { // the app has been deleted
		err = nil
	}
	return connection, err
}

func changing() error {
	return latchkey.Errorf(latchkey.Conflict, "the connection is being changed; try again")
}

// discard promises to end the login that was made for an import, when it
// became no connection. A session that the app brought is the app's to end.
func (l *Links) discard(ctx context.Context, connection latchkey.Connection, request ImportRequest, done connector.Done) {
	if request.Credentials == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	connection.ID, connection.Version = latchkey.NewTimedID(l.config.Random, latchkey.PrefixConnection, l.config.Now()), 1
	revocation, err := l.unused(connection, done)
	if err == nil {
		err = l.config.Revocations.KeepRevocation(ctx, revocation)
	}
	if err != nil {
		l.config.Log.ErrorContext(ctx, "keep revocation of an import", "connection", connection.ID, "error", err)
	}
}

// reimported returns the existing connection with what a new import brought.
func (l *Links) reimported(existing, fresh latchkey.Connection) latchkey.Connection {
	fresh.ExpiredAt, fresh.SessionID = time.Time{}, existing.SessionID
	renewed := l.renewed(existing, fresh)
	renewed.LastCheckedAt = renewed.UpdatedAt
	return renewed
}

// keepImported seals the credential and writes the connection with its event
// and the record of who brought it.
func (l *Links) keepImported(ctx context.Context, caller latchkey.Caller, connection latchkey.Connection,
	done connector.Done,
) error {
	sealed, err := l.config.Sealer.SealCredential(connection.OrganisationID, connection.ID, done.Credential.Secret)
	if err != nil {
		return err
	}
	eventType := latchkey.EventConnectionUpdated
	if connection.Version == 1 {
		eventType = latchkey.EventConnectionCreated
	}
	event, err := l.connectionEvent(connection, eventType)
	if err != nil {
		return err
	}
	detail, err := json.Marshal(map[string]string{"provider": connection.Provider})
	if err != nil {
		return fmt.Errorf("encode import of %s: %w", connection.ID, err)
	}
	return l.config.Connections.WriteConnection(ctx, connection,
		l.planned(connection, sealed, done.Credential),
		latchkey.Consequences{Events: []latchkey.Event{event}, Records: []latchkey.AuditRecord{{
			OrganisationID: connection.OrganisationID, Environment: connection.Environment, Actor: caller.KeyID,
			Action: latchkey.AuditImported, Subject: connection.ID, Detail: string(detail), CreatedAt: l.config.Now(),
		}}})
}
