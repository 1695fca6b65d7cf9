package account

import (
	"context"
	"slices"
	"time"

	"latchkey"
)

// ClientAppChange is what is asked of a client app; nil fields stay as they are.
type ClientAppChange struct {
	Type                *latchkey.AppType     // only when it is made
	Environment         *latchkey.Environment // the caller's, or an error
	Name                *string
	Domain              *string
	LogoURL             *string // empty: none
	AccentColor         *string // empty: ours
	RedirectURIs        *[]string
	AllowedOrigins      *[]string
	Providers           *[]string
	Permissions         *[]latchkey.Permission
	RequireConfirmation *bool
	WhitelabelEnabled   *bool
	RawSessionEnabled   *bool
	Suspended           *bool
}

// apply lays the change over an app and returns the names of the fields that
// are now different.
func (c ClientAppChange) apply(app *latchkey.ClientApp) []string {
	var changed fields
	assign(&changed, "name", &app.Name, c.Name)
	assign(&changed, "domain", &app.Domain, c.Domain)
	assign(&changed, "logoUrl", &app.LogoURL, c.LogoURL)
	assign(&changed, "accentColor", &app.AccentColor, c.AccentColor)
	assignList(&changed, "redirectUris", &app.RedirectURIs, c.RedirectURIs)
	assignList(&changed, "allowedOrigins", &app.AllowedOrigins, c.AllowedOrigins)
	assignList(&changed, "providers", &app.Providers, c.Providers)
	assignList(&changed, "permissions", &app.Permissions, c.Permissions)
	assign(&changed, "requireConfirmation", &app.RequireConfirmation, c.RequireConfirmation)
	assign(&changed, "whitelabelEnabled", &app.WhitelabelEnabled, c.WhitelabelEnabled)
	assign(&changed, "rawSessionEnabled", &app.RawSessionEnabled, c.RawSessionEnabled)
	assign(&changed, "suspended", &app.Suspended, c.Suspended)
	return changed.names
}

// ClientApps returns the caller's client apps, newest first, and whether there
// are more.
func (a *Account) ClientApps(ctx context.Context, caller latchkey.Caller, limit, offset int,
) ([]latchkey.ClientApp, bool, error) {
	return a.config.Apps.ClientApps(ctx, caller.OrganisationID, caller.Environment, limit, offset)
}

// ClientApp returns one of the caller's client apps.
func (a *Account) ClientApp(ctx context.Context, caller latchkey.Caller, id string) (latchkey.ClientApp, error) {
	if !latchkey.ValidID(id, latchkey.PrefixClientApp) {
		return latchkey.ClientApp{}, notFound("client app")
	}
	return a.config.Apps.ClientApp(ctx, caller.OrganisationID, caller.Environment, id)
}

// CreateClientApp registers a client app in the caller's environment. Without
// providers it gets every one that is served there.
func (a *Account) CreateClientApp(ctx context.Context, caller latchkey.Caller, asked ClientAppChange,
) (latchkey.ClientApp, error) {
	now := a.config.Now()
	app := latchkey.ClientApp{
		ID:             latchkey.NewID(a.config.Random, latchkey.PrefixClientApp),
		OrganisationID: caller.OrganisationID, Environment: caller.Environment, CreatedAt: now, UpdatedAt: now,
	}
	if err := fixed("environment", app.Environment, asked.Environment); err != nil {
		return app, err
	}
	if asked.Type != nil {
		app.Type = *asked.Type
	}
	given := append([]string{"type"}, asked.apply(&app)...)
	if asked.Providers == nil {
		app.Providers = a.config.Served(app.Environment)
	}
	app, err := a.checkClientApp(latchkey.ClientApp{}, app)
	if err != nil {
		return app, err
	}
	record, err := a.record(caller, latchkey.AuditAppCreated, app.ID, given)
	if err != nil {
		return app, err
	}
	return app, a.config.Apps.CreateClientApp(ctx, app, record)
}

// UpdateClientApp changes one of the caller's client apps and returns it as it
// then is. The rules are asked about the whole of it, unless it is only to be
// suspended or let go on: that must not fail for an old fault. A change of
// nothing leaves no trace.
func (a *Account) UpdateClientApp(ctx context.Context, caller latchkey.Caller, id string, asked ClientAppChange,
) (latchkey.ClientApp, error) {
	before, err := a.ClientApp(ctx, caller, id)
	if err != nil {
		return before, err
	}
	if err := fixed("type", before.Type, asked.Type); err != nil {
		return before, err
	}
	if err := fixed("environment", before.Environment, asked.Environment); err != nil {
		return before, err
	}
	after := before
	changed := asked.apply(&after)
	if len(changed) == 0 {
		return before, nil
	}
	if !slices.Equal(changed, []string{"suspended"}) {
		if after, err = a.checkClientApp(before, after); err != nil {
			return before, err
		}
	}
	after.UpdatedAt = later(a.config.Now(), before.UpdatedAt)
	record, err := a.record(caller, latchkey.AuditAppUpdated, id, changed)
	if err != nil {
		return before, err
	}
	return after, a.config.Apps.UpdateClientApp(ctx, before, after, record)
}

// DeleteClientApp removes one of the caller's client apps. Its connections
// stay; its open pages are gone.
func (a *Account) DeleteClientApp(ctx context.Context, caller latchkey.Caller, id string) error {
	if !latchkey.ValidID(id, latchkey.PrefixClientApp) {
		return notFound("client app")
	}
	record, err := a.record(caller, latchkey.AuditAppDeleted, id, nil)
	if err != nil {
		return err
	}
	return a.config.Apps.DeleteClientApp(ctx, caller.OrganisationID, caller.Environment, id, record)
}

// later returns now, or the next microsecond after before when the clock has
// not moved on: the time of a change is also the app's version.
func later(now, before time.Time) time.Time {
	if now.Truncate(time.Microsecond).After(before) {
		return now
	}
	return before.Add(time.Microsecond)
}
