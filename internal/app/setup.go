package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"latchkey"
	"latchkey/internal/account"
	"latchkey/internal/auth"
)

// Setup is the first thing an operator does: an organisation with a client app
// and a key for each environment.
type Setup struct {
	Organisation string
	AppName      string
	Domain       string
	RedirectURIs []string
	Providers    []string // empty: every provider that is served
	Permissions  []latchkey.Permission
}

// Made is what Setup made of one environment. The key is shown once.
type Made struct {
	Environment latchkey.Environment
	Key         string
	ClientAppID string
}

// Setup makes an organisation and returns its keys. What it registers is held
// against the rules of the API, except that the operator, who calls it, may give
// the app a name with symbols or of more than one script. Redirect URIs on this
// computer go to the sandbox alone, and providers where they serve.
func (a *App) Setup(ctx context.Context, wanted Setup) ([]Made, error) {
	if err := account.CheckOrganisation(wanted.Organisation); err != nil {
		return nil, refusal("the organisation's ", err)
	}
	if err := a.checkProviders(wanted.Providers); err != nil {
		return nil, err
	}
	now := a.parts.Now()
	organisation := latchkey.Organisation{
		ID: latchkey.NewID(a.parts.Random, latchkey.PrefixOrganisation), Name: wanted.Organisation, CreatedAt: now,
	}
	var keys []latchkey.APIKey
	var apps []latchkey.ClientApp
	var made []Made
	for _, environment := range []latchkey.Environment{latchkey.Sandbox, latchkey.Live} {
		key, text := auth.NewKey(a.parts.Random, organisation.ID, environment, "first", latchkey.AllScopes(), now)
		app, err := a.accounts.CheckClientApp(latchkey.ClientApp{
			ID: latchkey.NewID(a.parts.Random, latchkey.PrefixClientApp), OrganisationID: organisation.ID,
			Environment: environment, Type: latchkey.AppRedirect, Name: wanted.AppName, Domain: wanted.Domain,
			RedirectURIs: redirectsIn(environment, wanted.RedirectURIs), Providers: a.providersOf(wanted.Providers, environment),
			Permissions: wanted.Permissions, CreatedAt: now, UpdatedAt: now,
		})
		if err != nil {
			return nil, refusal("the "+string(environment)+" app's ", err)
		}
		keys, apps = append(keys, key), append(apps, app)
		made = append(made, Made{Environment: environment, Key: text, ClientAppID: app.ID})
	}
	if err := a.store.CreateOrganisation(ctx, organisation, keys, apps); err != nil {
		return nil, refusal("", err)
	}
	return made, nil
}

// refusal is an error as the console tells it: what is refused, without codes.
func refusal(whose string, err error) error {
	known, ok := errors.AsType[*latchkey.Error](err)
	if !ok || known.Code == latchkey.Internal {
		return err
	}
	return errors.New(whose + known.Message)
}

// redirectsIn returns those of the redirect URIs that are for an environment:
// the live one has none on this computer.
func redirectsIn(environment latchkey.Environment, uris []string) []string {
	return slices.DeleteFunc(slices.Clone(uris), func(uri string) bool {
		return environment == latchkey.Live && account.IsLoopback(uri)
	})
}

// providersOf returns the wanted providers that serve an environment, or all
// that do.
func (a *App) providersOf(wanted []string, environment latchkey.Environment) []string {
	served := a.servedIn(environment)
	if len(wanted) == 0 {
		return served
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(id string) bool { return !slices.Contains(served, id) })
}

// checkProviders refuses a provider that serves no environment.
func (a *App) checkProviders(wanted []string) error {
	for _, id := range wanted {
		if _, served := a.connectors[id]; !served {
			return fmt.Errorf("there is no provider %q here", id)
		}
	}
	return nil
}
