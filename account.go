package latchkey

import (
	"slices"
	"time"
)

// Environment separates trial from truth: rows of one are invisible to the
// other. It comes from the key.
type Environment string

// The two environments.
const (
	Sandbox Environment = "sandbox"
	Live    Environment = "live"
)

// Scope is what a key may do.
type Scope string

// The scopes of API keys.
const (
	ScopeLink    Scope = "LINK"    // start and read link sessions
	ScopeAccount Scope = "ACCOUNT" // read and end connections
	ScopeAccess  Scope = "ACCESS"  // call providers through the proxy
	ScopeAdmin   Scope = "ADMIN"   // manage client apps, keys, webhook endpoints
)

// AllScopes lists every scope, in the order they are shown.
func AllScopes() []Scope { return []Scope{ScopeLink, ScopeAccount, ScopeAccess, ScopeAdmin} }

// Organisation owns everything else: client apps, keys, sessions, connections.
type Organisation struct {
	ID        string // org_…
	Name      string
	Defaults  Defaults
	CreatedAt time.Time
}

// Defaults are what an organisation decided for sessions that say nothing else.
type Defaults struct {
	ExpiresIn int    `json:"expiresIn,omitzero"` // seconds a session lives; 0: 1800
	Locale    string `json:"locale,omitzero"`    // BCP 47; empty: what the browser asks for
}

// APIKey is what a backend calls with. The key itself is never kept.
type APIKey struct {
	ID             string // key_…
	OrganisationID string
	Environment    Environment
	Name           string
	Prefix         string // the first characters, to recognise it by
	Hash           string // HashSecret of the whole key
	Scopes         []Scope
	CreatedAt      time.Time
	ExpiresAt      time.Time // zero: never
	RevokedAt      time.Time // zero: not revoked
	LastUsedAt     time.Time // to the minute; zero: never
}

// Caller is who is calling: a valid key, resolved.
type Caller struct {
	KeyID          string
	OrganisationID string
	Organisation   string // its name
	Environment    Environment
	Scopes         []Scope
	Defaults       Defaults // of the organisation
}

// Has reports whether the caller carries the scope.
func (c Caller) Has(scope Scope) bool { return slices.Contains(c.Scopes, scope) }

// AppType is how a client app is mounted.
type AppType string

// The types of client apps.
const (
	AppRedirect   AppType = "redirect"
	AppEmbed      AppType = "embed"
	AppWhitelabel AppType = "whitelabel"
)

// Permission is something a connection lets the app do, and why the app wants
// it, in words for the person who is asked.
type Permission struct {
	Name    string `json:"name"`    // for example profile:read
	Purpose string `json:"purpose"` // for example "to show your name beside your posts"
}

// ClientApp is what an operator approved: the name, domain and permissions
// shown at consent come from here and never from a call.
type ClientApp struct {
	ID                  string // app_…
	OrganisationID      string
	Environment         Environment
	Type                AppType
	Name                string
	Domain              string
	Registrable         string // the registrable domain it is under, in the live environment; else empty
	LogoURL             string // https; empty: none
	AccentColor         string // #rrggbb; empty: ours
	RedirectURIs        []string
	AllowedOrigins      []string
	Providers           []string
	Permissions         []Permission
	RequireConfirmation bool // a link counts only once the app's backend has confirmed it
	WhitelabelEnabled   bool
	RawSessionEnabled   bool // the app may be given the credential itself
	Suspended           bool
	CreatedAt           time.Time
	UpdatedAt           time.Time
}

// PermissionNames returns the names of the app's permissions, in order.
func (a ClientApp) PermissionNames() []string {
	names := make([]string, len(a.Permissions))
	for i, permission := range a.Permissions {
		names[i] = permission.Name
	}
	return names
}
