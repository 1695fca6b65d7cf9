package link

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"latchkey"
	"latchkey/internal/connector"
)

// importApp returns the client app that an imported connection counts to, the
// oldest, and the granted permissions.
func (l *Links) importApp(ctx context.Context, caller latchkey.Caller, asked []string) (latchkey.ClientApp, []string, error) {
	if len(asked) > maxPermissions {
		return latchkey.ClientApp{}, nil, latchkey.InvalidField("permissions", "has more than 100 entries")
	}
	app, err := l.apps.OldestClientApp(ctx, caller.OrganisationID, caller.Environment, typesFor(""))
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return latchkey.ClientApp{}, nil, latchkey.Errorf(latchkey.Forbidden, "there is no client app to import for")
	}
	if err == nil && app.Suspended {
		err = suspended()
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
	// What the provider has seen must be counted and written down, though the
	// caller goes away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tryTimeout)
	defer cancel()
	flow := connector.Flow{
		SessionID: connection.ID, Environment: connection.Environment, Permissions: connection.Permissions, Now: l.config.Now(),
		HTTP: l.config.Client(&latchkey.LinkSession{
			ID: connection.ID, OrganisationID: connection.OrganisationID, Environment: connection.Environment,
			Request: latchkey.SessionRequest{Geolocation: connection.Geolocation, Exit: connection.Exit},
		}),
	}
	var done connector.Done
	var err error
	if request.Credentials == nil {
		taker, ok := provider.(connector.Importer)
		if !ok || !taker.Imports() {
			return done, latchkey.InvalidField("cookie", "can't be imported for this provider; give credentials")
		}
		entered, _, ok := l.breakers.enter(request.Provider)
		if !ok {
			return done, importError(errStopped, request)
		}
		done, err = taker.Import(ctx, flow, request.Cookie, request.UserAgent)
		l.breakers.leave(entered, answered(err), true)
	} else {
		done, err = (&importing{Links: l, provider: provider, flow: flow, request: request}).run(ctx)
	}
	if err == nil && (done.User.ID == "" || len(done.Credential.Secret) == 0) {
		err = errors.New("the provider named no user or gave no credential")
	}
	return done, importError(err, request)
}

// importing is a login with credentials that are all known beforehand.
type importing struct {
	*Links
	provider connector.Connector
	flow     connector.Flow
	request  ImportRequest
	name     string // keyed hash of the account, once the provider has asked for a name
}

// maxAnswers bounds how many of the provider's questions are answered.
const maxAnswers = 4

// run answers the provider's questions until the login is done, or something
// is lacking.
func (i *importing) run(ctx context.Context) (connector.Done, error) {
	step, err := i.ask(ctx, i.provider, i.flow, connector.Input{})
	for range maxAnswers {
		prompt, ok := step.(connector.Prompt)
		if err != nil || !ok || prompt.Refused != "" {
			break
		}
		for _, field := range prompt.Prompt.Fields {
			if field.Required && i.request.Credentials[field.Name].Empty() {
				return connector.Done{}, latchkey.InvalidField("credentials."+field.Name, "is required")
			}
		}
		step, err = i.answer(ctx, prompt)
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

// answer gives a question what was brought. It counts as a try of the account,
// wherever it comes from, until it turns out that it was right.
func (i *importing) answer(ctx context.Context, prompt connector.Prompt) (connector.Step, error) {
	key, budgets := "account:", i.budgets.Account
	if prompt.At == latchkey.StateTwoFactor {
		key, budgets = "code:", i.budgets.Code
	} else if account := i.Links.account(i.request.Provider, prompt.Prompt, i.request.Credentials); account != "" {
		i.name = account
	}
	var taken []latchkey.Attempt
	if i.name != "" && len(budgets) > 0 {
		taken = []latchkey.Attempt{{Key: key + i.name, At: i.config.Now(), Budgets: budgets}}
		if err := i.config.Attempts.TakeAttempts(ctx, taken); err != nil {
			return nil, err
		}
	}
	tidyCodes(prompt.Prompt, i.request.Credentials)
	i.flow.State = prompt.State
	step, err := i.ask(ctx, i.provider, i.flow, connector.Input{Action: latchkey.ActionContinue, Fields: i.request.Credentials})
	failure, _ := errors.AsType[*connector.Failure](err)
	if len(taken) > 0 && !wasWrong(step, failure) {
		if released := i.config.Attempts.ReleaseAttempts(context.WithoutCancel(ctx), taken); released != nil {
			i.config.Log.ErrorContext(ctx, "release the tries of an import", "error", released)
		}
	}
	return step, err
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
