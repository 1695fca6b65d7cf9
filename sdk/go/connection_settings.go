package latchkey

import "context"

// ConnectionSettings are what holds for one connection.
type ConnectionSettings struct {
	RateLimit RateLimit           `json:"rateLimit"`
	Metadata  map[string]string   `json:"metadata"`
	VaultPlus ConnectionVaultPlus `json:"vaultPlus"`
}

// RateLimit is the token bucket of the connection's calls through the proxy.
type RateLimit struct {
	PerMinute int `json:"perMinute"` // how fast it refills, 1 to 6000
	Burst     int `json:"burst"`     // how many calls it holds, 1 to 6000
}

// ConnectionVaultPlus is always disabled; it is there for clients that decode
// it.
type ConnectionVaultPlus struct {
	Enabled bool `json:"enabled"`
}

// ConnectionSettingsPatch changes what it names and leaves the rest.
type ConnectionSettingsPatch struct {
	RateLimit *RateLimitPatch   `json:"rateLimit,omitempty"`
	Metadata  map[string]string `json:"metadata,omitzero"` // replaces all; empty and not nil removes all
	VaultPlus *VaultPlusPatch   `json:"vaultPlus,omitempty"`
}

// RateLimitPatch changes what it names and leaves the rest.
type RateLimitPatch struct {
	PerMinute *int `json:"perMinute,omitempty"`
	Burst     *int `json:"burst,omitempty"`
}

// Settings returns the settings of a connection.
func (s *ConnectionsService) Settings(ctx context.Context, id string) (*ConnectionSettings, error) {
	return get[ConnectionSettings](ctx, s.client, call{pattern: "GET /v2/account/connections/{id}/settings", id: id})
}

// UpdateSettings changes the settings of a connection.
func (s *ConnectionsService) UpdateSettings(ctx context.Context, id string, patch ConnectionSettingsPatch) (*ConnectionSettings, error) {
	return get[ConnectionSettings](ctx, s.client,
		call{pattern: "PATCH /v2/account/connections/{id}/settings", id: id, body: patch})
}
