package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
		ID: latchkey.NewID(l.config.Random, latchkey.PrefixConnection), OrganisationID: caller.OrganisationID,
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
	connection := fresh
	for range twinRounds {
		err := l.keepImported(ctx, caller, connection, done)
		twin := twinOf(err)
		if twin == nil {
			return connection, err
		}
		connection = l.reimported(*twin, fresh)
	}
	return latchkey.Connection{}, latchkey.Errorf(latchkey.Conflict, "the connection is being changed; try again")
}

// Reimport gives an imported connection a new login of the same account.
func (l *Links) Reimport(ctx context.Context, caller latchkey.Caller, id string, request ImportRequest,
) (latchkey.Connection, error) {
	for range 5 {
		existing, err := l.Connection(ctx, caller, id)
		if err != nil {
			return existing, err
		}
		if !existing.Imported {
			return existing, latchkey.Errorf(latchkey.NotFound, "no such imported connection")
		}
		request.Provider = existing.Provider
		fresh := existing
		done, err := l.importLogin(ctx, fresh, request)
		if err != nil {
			return existing, err
		}
		if done.User.ID != existing.User.ID {
			clear(done.Credential.Secret)
			return existing, latchkey.Errorf(latchkey.Conflict, "these credentials are of another account than the connection's")
		}
		fresh.User = done.User
		connection := l.reimported(existing, fresh)
		err = l.keepImported(ctx, caller, connection, done)
		clear(done.Credential.Secret)
		if latchkey.CodeOf(err) != latchkey.Conflict {
			return connection, err
		}
	}
	return latchkey.Connection{}, latchkey.Errorf(latchkey.Conflict, "the connection is being changed; try again")
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
		latchkey.SealedCredential{Bytes: sealed, ExpiresAt: done.Credential.ExpiresAt},
		latchkey.Consequences{Events: []latchkey.Event{event}, Records: []latchkey.AuditRecord{{
			OrganisationID: connection.OrganisationID, Environment: connection.Environment, Actor: caller.KeyID,
			Action: latchkey.AuditImported, Subject: connection.ID, Detail: string(detail), CreatedAt: l.config.Now(),
		}}})
}

// importApp returns the client app that an imported connection counts to, the
// oldest, and the granted permissions.
func (l *Links) importApp(ctx context.Context, caller latchkey.Caller, asked []string) (latchkey.ClientApp, []string, error) {
	if len(asked) > maxPermissions {
		return latchkey.ClientApp{}, nil, latchkey.InvalidField("permissions", "has more than 100 entries")
	}
	app, err := l.config.Apps.OldestClientApp(ctx, caller.OrganisationID, caller.Environment, typesFor(""))
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return latchkey.ClientApp{}, nil, latchkey.Errorf(latchkey.Forbidden, "there is no client app to import for")
	}
	if err != nil {
		return app, nil, err
	}
	granted, err := permissionsFor(app, asked)
	if err != nil {
		return app, nil, err
	}
	names := make([]string, len(granted))
	for i, permission := range granted {
		names[i] = permission.Name
	}
	return app, names, nil
}

// importer returns the one provider that a cookie can be of.
func (l *Links) importer(app latchkey.ClientApp, environment latchkey.Environment) (string, error) {
	var found []string
	for _, id := range app.Providers {
		provider, ok := l.config.Connector(id)
		if !ok || !slices.Contains(provider.Describe().Environments, environment) {
			continue
		}
		if taker, ok := provider.(connector.Importer); ok && taker.Imports() {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		return "", latchkey.InvalidField("provider", "is required")
	}
	return found[0], nil
}

// importLogin asks the provider about a login that was brought.
func (l *Links) importLogin(ctx context.Context, connection latchkey.Connection, request ImportRequest) (connector.Done, error) {
	provider, ok := l.config.Connector(request.Provider)
	if !ok || !slices.Contains(provider.Describe().Environments, connection.Environment) {
		return connector.Done{}, latchkey.InvalidField("provider", "is not served in this environment")
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	now := l.config.Now()
	flow := connector.Flow{
		SessionID: connection.ID, Environment: connection.Environment, Permissions: connection.Permissions, Now: now,
		HTTP: l.config.Client(&latchkey.LinkSession{
			ID: connection.ID, OrganisationID: connection.OrganisationID, Environment: connection.Environment,
			Request: latchkey.SessionRequest{Geolocation: connection.Geolocation},
		}),
	}
	var done connector.Done
	var err error
	if request.Credentials == nil {
		taker, ok := provider.(connector.Importer)
		if !ok || !taker.Imports() {
			return done, latchkey.InvalidField("cookie", "can't be imported for this provider; give credentials")
		}
		done, err = taker.Import(ctx, flow, request.Cookie, request.UserAgent)
	} else {
		done, err = l.logInWith(ctx, provider, flow, request)
	}
	if err == nil && (done.User.ID == "" || len(done.Credential.Secret) == 0) {
		err = errors.New("the provider named no user or gave no credential")
	}
	return done, importError(err, request)
}

// logInWith drives a login with credentials that are all known beforehand.
func (l *Links) logInWith(ctx context.Context, provider connector.Connector, flow connector.Flow, request ImportRequest,
) (connector.Done, error) {
	step, err := provider.Advance(ctx, flow, connector.Input{})
	var taken []latchkey.Attempt
	for tries := 0; err == nil; tries++ {
		prompt, ok := step.(connector.Prompt)
		if !ok || prompt.Refused != "" || tries == 2 {
			break
		}
		for _, field := range prompt.Prompt.Fields {
			if field.Required && request.Credentials[field.Name].Empty() {
				return connector.Done{}, latchkey.InvalidField("credentials."+field.Name, "is required")
			}
		}
		if tries == 0 {
			if taken, err = l.takeImport(ctx, request.Provider, prompt.Prompt, request, flow); err != nil {
				return connector.Done{}, err
			}
		}
		flow.State = prompt.State
		step, err = provider.Advance(ctx, flow, connector.Input{Action: latchkey.ActionContinue, Fields: request.Credentials})
	}
	failure, _ := errors.AsType[*connector.Failure](err)
	if len(taken) > 0 && !wasWrong(step, failure) {
		if released := l.config.Attempts.ReleaseAttempts(context.WithoutCancel(ctx), taken); released != nil {
			return connector.Done{}, released
		}
	}
	if err != nil {
		return connector.Done{}, err
	}
	switch step := step.(type) {
	case connector.Done:
		return step, nil
	case connector.Prompt:
		if step.Refused == latchkey.FailureProviderUnavailable {
			return connector.Done{}, errors.New("the provider is not available")
		}
		return connector.Done{}, &connector.Failure{Code: latchkey.FailureInvalidCredentials, Reason: "refused"}
	}
	return connector.Done{}, latchkey.InvalidField("credentials", "are not enough: the provider wants the person; link the account instead")
}

// takeImport counts a try of the account, wherever it comes from.
func (l *Links) takeImport(ctx context.Context, provider string, prompt latchkey.Prompt, request ImportRequest,
	flow connector.Flow,
) ([]latchkey.Attempt, error) {
	account := l.account(provider, prompt, request.Credentials)
	if account == "" || len(l.budgets.Account) == 0 {
		return nil, nil
	}
	taken := []latchkey.Attempt{{Key: "account:" + account, At: flow.Now, Budgets: l.budgets.Account}}
	return taken, l.config.Attempts.TakeAttempts(ctx, taken)
}

// importError tells the app what it can mend, and nothing of the provider's.
func importError(err error, request ImportRequest) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*latchkey.Error](err); ok {
		return known
	}
	if failure, ok := errors.AsType[*connector.Failure](err); ok && failure.Code != latchkey.FailureProviderUnavailable {
		field := "credentials"
		if request.Credentials == nil {
			field = "cookie"
		}
		return latchkey.InvalidField(field, "were not accepted by the provider")
	}
	return &latchkey.Error{
		Code: latchkey.NetworkFailed, Message: "the provider can't be reached", RetryAfter: 5,
		Err: fmt.Errorf("import from %s: %w", request.Provider, err),
	}
}
