package api

import (
	"net/http"

	"latchkey"
	"latchkey/internal/account"
	"latchkey/internal/web"
)

// clientAppRequest is the body of POST and PATCH of client apps.
type clientAppRequest struct {
	Type                web.Optional[latchkey.AppType]      `json:"type"`
	Environment         web.Optional[latchkey.Environment]  `json:"environment"`
	Name                web.Optional[string]                `json:"name"`
	Domain              web.Optional[string]                `json:"domain"`
	LogoURL             web.Nullable[string]                `json:"logoUrl"`
	AccentColor         web.Nullable[string]                `json:"accentColor"`
	RedirectURIs        web.Optional[[]string]              `json:"redirectUris"`
	AllowedOrigins      web.Optional[[]string]              `json:"allowedOrigins"`
	Providers           web.Optional[[]string]              `json:"providers"`
	Permissions         web.Optional[[]latchkey.Permission] `json:"permissions"`
	RequireConfirmation web.Optional[bool]                  `json:"requireConfirmation"`
	WhitelabelEnabled   web.Optional[bool]                  `json:"whitelabelEnabled"`
	RawSessionEnabled   web.Optional[bool]                  `json:"rawSessionEnabled"`
	Suspended           web.Optional[bool]                  `json:"suspended"`
}

func (r clientAppRequest) change() account.ClientAppChange {
	return account.ClientAppChange{
		Type: r.Type.Pointer(), Environment: r.Environment.Pointer(), Name: r.Name.Pointer(), Domain: r.Domain.Pointer(),
		LogoURL: r.LogoURL.Pointer(), AccentColor: r.AccentColor.Pointer(), RedirectURIs: r.RedirectURIs.Pointer(),
		AllowedOrigins: r.AllowedOrigins.Pointer(), Providers: r.Providers.Pointer(), Permissions: r.Permissions.Pointer(),
		RequireConfirmation: r.RequireConfirmation.Pointer(), WhitelabelEnabled: r.WhitelabelEnabled.Pointer(),
		RawSessionEnabled: r.RawSessionEnabled.Pointer(), Suspended: r.Suspended.Pointer(),
	}
}

// clientAppBody is a client app as the API tells of it.
type clientAppBody struct {
	ID                  string                `json:"id"`
	Name                string                `json:"name"`
	Domain              string                `json:"domain"`
	LogoURL             *string               `json:"logoUrl"`
	AccentColor         *string               `json:"accentColor"`
	Type                latchkey.AppType      `json:"type"`
	Environment         latchkey.Environment  `json:"environment"`
	RedirectURIs        []string              `json:"redirectUris"`
	AllowedOrigins      []string              `json:"allowedOrigins"`
	Providers           []string              `json:"providers"`
	Permissions         []latchkey.Permission `json:"permissions"`
	RequireConfirmation bool                  `json:"requireConfirmation"`
	WhitelabelEnabled   bool                  `json:"whitelabelEnabled"`
	RawSessionEnabled   bool                  `json:"rawSessionEnabled"`
	Suspended           bool                  `json:"suspended"`
	CreatedAt           string                `json:"createdAt"`
	UpdatedAt           string                `json:"updatedAt"`
}

func describeClientApp(app latchkey.ClientApp) clientAppBody {
	body := clientAppBody{
		ID: app.ID, Name: app.Name, Domain: app.Domain, Type: app.Type, Environment: app.Environment,
		RedirectURIs: app.RedirectURIs, AllowedOrigins: app.AllowedOrigins, Providers: app.Providers,
		Permissions: app.Permissions, RequireConfirmation: app.RequireConfirmation,
		WhitelabelEnabled: app.WhitelabelEnabled, RawSessionEnabled: app.RawSessionEnabled, Suspended: app.Suspended,
		CreatedAt: latchkey.FormatTime(app.CreatedAt), UpdatedAt: latchkey.FormatTime(app.UpdatedAt),
	}
	if app.LogoURL != "" {
		body.LogoURL = &app.LogoURL
	}
	if app.AccentColor != "" {
		body.AccentColor = &app.AccentColor
	}
	return body
}

// clientAppCreate answers POST /v2/client-apps.
func (d *door) clientAppCreate(w http.ResponseWriter, r *http.Request) error {
	var body clientAppRequest
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	app, err := d.config.Accounts.CreateClientApp(r.Context(), web.Caller(r.Context()), body.change())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, describeClientApp(app))
}

// clientAppsList answers GET /v2/client-apps.
func (d *door) clientAppsList(w http.ResponseWriter, r *http.Request) error {
	limit, offset, err := web.Paging(r)
	if err != nil {
		return err
	}
	apps, more, err := d.config.Accounts.ClientApps(r.Context(), web.Caller(r.Context()), limit, offset)
	if err != nil {
		return err
	}
	list := make([]clientAppBody, len(apps))
	for i, app := range apps {
		list[i] = describeClientApp(app)
	}
	return web.WriteList(w, list, more, offset)
}

// clientAppGet answers GET /v2/client-apps/{id}.
func (d *door) clientAppGet(w http.ResponseWriter, r *http.Request) error {
	app, err := d.config.Accounts.ClientApp(r.Context(), web.Caller(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, describeClientApp(app))
}

// clientAppUpdate answers PATCH /v2/client-apps/{id}.
func (d *door) clientAppUpdate(w http.ResponseWriter, r *http.Request) error {
	var body clientAppRequest
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	app, err := d.config.Accounts.UpdateClientApp(r.Context(), web.Caller(r.Context()), r.PathValue("id"), body.change())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, describeClientApp(app))
}

// clientAppDelete answers DELETE /v2/client-apps/{id}.
func (d *door) clientAppDelete(w http.ResponseWriter, r *http.Request) error {
	if err := d.config.Accounts.DeleteClientApp(r.Context(), web.Caller(r.Context()), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
