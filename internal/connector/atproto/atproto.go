// Package atproto links accounts of the AT Protocol, of which Bluesky is the
// best known: on any personal data server (PDS), by handle or DID and password.
//
//	handle ─▶ DID (DNS TXT over HTTPS, else /.well-known/atproto-did)
//	DID ─▶ document (PLC directory or did:web) ─▶ names the handle ─▶ PDS
//	PDS ─▶ createSession ─▶ [code by e-mail ─▶ createSession] ─▶ Done
//	session ─▶ refreshSession, getSession, deleteSession; /xrpc through the proxy
//
// A handle and a DID count only together: each must name the other. Sources are
// the specifications at https://atproto.com/specs (handle, did, xrpc) and the
// lexicons of com.atproto.server.
package atproto

import (
	_ "embed" // for the logo
	"net/url"
	"slices"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// ID is what clients call the provider.
const ID = "atproto"

// callLimit bounds one call of the contract with all its requests.
const callLimit = 30 * time.Second

//go:embed logo.svg
var logo []byte

// Config is what a Connector is made of. The zero value is the production
// setting.
type Config struct {
	// Resolver answers DNS questions over HTTPS in JSON; nil: Cloudflare's. A
	// connector has HTTP and nothing else, so that all it sends goes the way
	// that is guarded; and an answer over TLS can't be forged on the way here.
	Resolver *url.URL
	// Directory is the PLC directory; nil: https://plc.directory.
	Directory *url.URL
	// Environments are those served; nil: live.
	Environments []latchkey.Environment
	// Loopback allows servers at http on this machine and handles under .test,
	// for development.
	Loopback bool
}

// Connector is the AT Protocol provider. It keeps nothing in memory and is safe
// for concurrent use.
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
	if config.Resolver == nil {
		config.Resolver = &url.URL{Scheme: "https", Host: "cloudflare-dns.com", Path: "/dns-query"}
	}
	if config.Directory == nil {
		config.Directory = &url.URL{Scheme: "https", Host: "plc.directory"}
	}
	if config.Environments == nil {
		config.Environments = []latchkey.Environment{latchkey.Live}
	}
	return &Connector{config: config}
}

// Describe returns the provider's fixed facts.
func (c *Connector) Describe() connector.Description {
	return connector.Description{
		ID: ID, Name: "Bluesky", Domain: "bsky.app",
		Environments: slices.Clone(c.config.Environments), Logo: slices.Clone(logo),
	}
}
