package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"latchkey"
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

// Setup makes an organisation and returns its keys.
func (a *App) Setup(ctx context.Context, wanted Setup) ([]Made, error) {
	if err := wanted.check(); err != nil {
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
		app := latchkey.ClientApp{
			ID: latchkey.NewID(a.parts.Random, latchkey.PrefixClientApp), OrganisationID: organisation.ID,
			Environment: environment, Type: latchkey.AppRedirect, Name: wanted.AppName, Domain: wanted.Domain,
			RedirectURIs: wanted.RedirectURIs, Providers: a.providersOf(wanted.Providers, environment),
			Permissions: wanted.Permissions, CreatedAt: now, UpdatedAt: now,
		}
		keys, apps = append(keys, key), append(apps, app)
		made = append(made, Made{Environment: environment, Key: text, ClientAppID: app.ID})
	}
	return made, a.store.CreateOrganisation(ctx, organisation, keys, apps)
}

// providersOf returns the wanted providers, or all, that serve an environment.
func (a *App) providersOf(wanted []string, environment latchkey.Environment) []string {
	if len(wanted) > 0 {
		return wanted
	}
	return a.servedIn(environment)
}

func (s Setup) check() error {
	if s.Organisation == "" || s.AppName == "" || s.Domain == "" {
		return errors.New("an organisation, a name and a domain are needed")
	}
	if strings.ContainsAny(s.Domain, "/:@ ") {
		return fmt.Errorf("the domain must be like shop.example.com")
	}
	for _, uri := range s.RedirectURIs {
		parsed, err := url.Parse(uri)
		if err != nil || !parsed.IsAbs() || parsed.User != nil || strings.Contains(uri, "#") || strings.Contains(uri, "*") {
			return fmt.Errorf("a redirect URI must be absolute, without user, fragment and *")
		}
	}
	return nil
}
