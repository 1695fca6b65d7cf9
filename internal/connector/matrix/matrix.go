// Package matrix links Matrix accounts, on any homeserver: by the homeserver's
// own page (SSO) where it has one, else by password.
//
//	Matrix ID ─▶ /.well-known/matrix/client ─▶ homeserver ─▶ /versions, /login
//	          ├▶ SSO: Redirect ─▶ loginToken ─▶ m.login.token ────▶ Done
//	          └▶ password prompt ─▶ m.login.password ─────────────▶ Done
//	session ─▶ /refresh, /account/whoami, /logout; /_matrix/client through the proxy
//
// The homeserver is always the one that the ID's own domain names: nobody may
// type in another, which could then say that they are anyone. The source is the
// client-server API at https://spec.matrix.org/latest/client-server-api.
package matrix

import (
	_ "embed" // for the logo
	"slices"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// ID is what clients call the provider.
const ID = "matrix"

// callLimit bounds one call of the contract with all its requests.
const callLimit = 30 * time.Second

//go:embed logo.svg
var logo []byte

// Config is what a Connector is made of. The zero value is the production
// setting.
type Config struct {
	// Environments are those served; nil: live.
	Environments []latchkey.Environment
	// Loopback allows homeservers at http on this machine, for development.
	Loopback bool
}

// Connector is the Matrix provider. It keeps nothing in memory and is safe for
// concurrent use.
type Connector struct{ config Config }

var (
	_ connector.Connector  = (*Connector)(nil)
	_ connector.Authorizer = (*Connector)(nil)
	_ connector.Checker    = (*Connector)(nil)
	_ connector.Refresher  = (*Connector)(nil)
	_ connector.Revoker    = (*Connector)(nil)
)

// New returns the provider.
func New(config Config) *Connector {
	if config.Environments == nil {
		config.Environments = []latchkey.Environment{latchkey.Live}
	}
	return &Connector{config: config}
}

// Describe returns the provider's fixed facts.
func (c *Connector) Describe() connector.Description {
	return connector.Description{
		ID: ID, Name: "Matrix", Domain: "matrix.org",
		Environments: slices.Clone(c.config.Environments), Logo: slices.Clone(logo),
	}
}
