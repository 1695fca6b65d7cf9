package latchkey

import (
	"context"
	"iter"
	"time"
)

// ClientAppsService manages client apps. Its calls need the scope ADMIN.
type ClientAppsService struct{ client *Client }

// AppType is how a client app is mounted.
type AppType string

// The types of client apps.
const (
	AppRedirect   AppType = "redirect"   // the person is sent to the page and back
	AppEmbed      AppType = "embed"      // the page is framed
	AppWhitelabel AppType = "whitelabel" // the app shows the steps itself
)

// ClientApp is what people see that asks them, and where it may take them.
type ClientApp struct {
	ID                  string       `json:"id"` // app_…
	Name                string       `json:"name"`
	Domain              string       `json:"domain"`
	LogoURL             *string      `json:"logoUrl"`
	AccentColor         *string      `json:"accentColor"` // #rrggbb
	Type                AppType      `json:"type"`
	Environment         Environment  `json:"environment"`
	RedirectURIs        []string     `json:"redirectUris"`
	AllowedOrigins      []string     `json:"allowedOrigins"` // that may frame the page
	Providers           []string     `json:"providers"`
	Permissions         []Permission `json:"permissions"`
	RequireConfirmation bool         `json:"requireConfirmation"` // a link counts once it is confirmed
	WhitelabelEnabled   bool         `json:"whitelabelEnabled"`
	RawSessionEnabled   bool         `json:"rawSessionEnabled"`
	Suspended           bool         `json:"suspended"` // starts no sessions
	CreatedAt           time.Time    `json:"createdAt"`
	UpdatedAt           time.Time    `json:"updatedAt"`
}

// NewClientApp describes a client app to be made. Name, Domain and Type are
// required.
type NewClientApp struct {
	Name                string       `json:"name"`   // 1 to 64 characters of one script
	Domain              string       `json:"domain"` // shown to people beside the name
	LogoURL             string       `json:"logoUrl,omitempty"`
	AccentColor         string       `json:"accentColor,omitempty"`
	Type                AppType      `json:"type"`
	RedirectURIs        []string     `json:"redirectUris,omitzero"`
	AllowedOrigins      []string     `json:"allowedOrigins,omitzero"`
	Providers           []string     `json:"providers,omitzero"` // nil: every one that is served
	Permissions         []Permission `json:"permissions,omitzero"`
	RequireConfirmation bool         `json:"requireConfirmation,omitempty"`
	WhitelabelEnabled   bool         `json:"whitelabelEnabled,omitempty"`
	RawSessionEnabled   bool         `json:"rawSessionEnabled,omitempty"`
	Suspended           bool         `json:"suspended,omitempty"`
}

// ClientAppPatch changes what it names and leaves the rest. A list replaces
// all; one that is empty and not nil removes all.
type ClientAppPatch struct {
	Name                *string          `json:"name,omitempty"`
	Domain              *string          `json:"domain,omitempty"`
	LogoURL             Nullable[string] `json:"logoUrl,omitzero"`
	AccentColor         Nullable[string] `json:"accentColor,omitzero"`
	RedirectURIs        []string         `json:"redirectUris,omitzero"`
	AllowedOrigins      []string         `json:"allowedOrigins,omitzero"`
	Providers           []string         `json:"providers,omitzero"`
	Permissions         []Permission     `json:"permissions,omitzero"`
	RequireConfirmation *bool            `json:"requireConfirmation,omitempty"`
	WhitelabelEnabled   *bool            `json:"whitelabelEnabled,omitempty"`
	RawSessionEnabled   *bool            `json:"rawSessionEnabled,omitempty"`
	Suspended           *bool            `json:"suspended,omitempty"`
}

// List returns one page of the client apps.
func (s *ClientAppsService) List(ctx context.Context, options ListOptions) (*Page[ClientApp], error) {
	return get[Page[ClientApp]](ctx, s.client, call{pattern: "GET /v2/client-apps", query: options.query()})
}

// All reads all client apps, page by page.
func (s *ClientAppsService) All(ctx context.Context) iter.Seq2[ClientApp, error] {
	return all(0, 0, func(limit, offset int) (*Page[ClientApp], error) {
		return s.List(ctx, ListOptions{Limit: limit, Offset: offset})
	})
}

// Get returns one client app.
func (s *ClientAppsService) Get(ctx context.Context, id string) (*ClientApp, error) {
	return get[ClientApp](ctx, s.client, call{pattern: "GET /v2/client-apps/{id}", id: id})
}

// Create makes a client app in the key's environment. It is never sent twice.
func (s *ClientAppsService) Create(ctx context.Context, app NewClientApp) (*ClientApp, error) {
	return get[ClientApp](ctx, s.client, call{pattern: "POST /v2/client-apps", body: app})
}

// Update changes a client app.
func (s *ClientAppsService) Update(ctx context.Context, id string, patch ClientAppPatch) (*ClientApp, error) {
	return get[ClientApp](ctx, s.client, call{pattern: "PATCH /v2/client-apps/{id}", id: id, body: patch})
}

// Delete deletes a client app.
func (s *ClientAppsService) Delete(ctx context.Context, id string) error {
	_, err := s.client.do(ctx, call{pattern: "DELETE /v2/client-apps/{id}", id: id}, nil)
	return err
}
