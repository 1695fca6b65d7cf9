package latchkey

import "context"

// AccountService tells of the key's organisation. Its calls need the scope
// ACCOUNT.
type AccountService struct{ client *Client }

// Environment separates trial from truth; a key belongs to one.
type Environment string

// The two environments.
const (
	Sandbox Environment = "sandbox"
	Live    Environment = "live"
)

// Scope is what a key may do.
type Scope string

// The scopes of keys.
const (
	ScopeLink    Scope = "LINK"    // start and read link sessions
	ScopeAccount Scope = "ACCOUNT" // read and end connections
	ScopeAccess  Scope = "ACCESS"  // call providers through the proxy
	ScopeAdmin   Scope = "ADMIN"   // manage client apps, keys, webhook endpoints
)

// Whoami is whose the key is, and what it may do.
type Whoami struct {
	ID          string  `json:"id"` // org_…
	Name        *string `json:"name"`
	Permissions []Scope `json:"permissions"`
}

// Settings are what holds for the organisation's sessions unless they say
// otherwise.
type Settings struct {
	ID        string           `json:"id"` // org_…
	Name      *string          `json:"name"`
	Defaults  SettingsDefaults `json:"defaults"`
	VaultPlus VaultPlus        `json:"vaultPlus"`
}

// SettingsDefaults are for sessions that do not say otherwise.
type SettingsDefaults struct {
	ExpiresIn int     `json:"expiresIn"` // seconds
	Locale    *string `json:"locale"`    // BCP 47; nil: the browser's
}

// VaultPlus is always disabled; it is there for clients that decode it.
type VaultPlus struct {
	Enabled                     bool `json:"enabled"`
	AutoEnableForNewConnections bool `json:"autoEnableForNewConnections"`
}

// SettingsPatch changes what it names and leaves the rest.
type SettingsPatch struct {
	Name      *string         `json:"name,omitempty"`
	Defaults  *DefaultsPatch  `json:"defaults,omitempty"`
	VaultPlus *VaultPlusPatch `json:"vaultPlus,omitempty"`
}

// DefaultsPatch changes what it names and leaves the rest.
type DefaultsPatch struct {
	ExpiresIn *int             `json:"expiresIn,omitempty"` // seconds, 300 to 3600
	Locale    Nullable[string] `json:"locale,omitzero"`
}

// VaultPlusPatch can only say that it stays disabled.
type VaultPlusPatch struct {
	Enabled *bool `json:"enabled,omitempty"`
}

// Whoami tells whose the client's key is.
func (s *AccountService) Whoami(ctx context.Context) (*Whoami, error) {
	return get[Whoami](ctx, s.client, call{pattern: "GET /v2/account/whoami"})
}

// Settings returns the organisation's settings.
func (s *AccountService) Settings(ctx context.Context) (*Settings, error) {
	return get[Settings](ctx, s.client, call{pattern: "GET /v2/account/settings"})
}

// UpdateSettings changes the organisation's settings.
func (s *AccountService) UpdateSettings(ctx context.Context, patch SettingsPatch) (*Settings, error) {
	return get[Settings](ctx, s.client, call{pattern: "PATCH /v2/account/settings", body: patch})
}
