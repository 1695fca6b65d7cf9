// Package sandbox is the provider that exists only inside Latchkey: it accepts
// the documented addresses, fails on demand, and serves fixtures in place of a
// provider's API. It does no I/O and keeps nothing in memory: everything it
// answers follows from the address, the flow's state and the time.
//
//	address ─▶ account (scenario, type, seed) ─▶ password ─▶ code │ push │ face ─▶ Done
//	                                                                               │
//	            fixtures: /me /posts /messages … ◀── Authorization: Sandbox sbx_… ◀┘
//
// The scenarios are listed by Scenarios and explained in sandbox.md.
package sandbox

import (
	"context"
	_ "embed" // for the logo and the page
	"fmt"
	"net/http"
	"slices"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// ID is what clients call the provider.
const ID = "sandbox"

// domain is the site whose subdomains are the scenarios.
const domain = "sandbox.com"

// slowAnswer is how long an answer takes in the slow scenario and at /slow.
const slowAnswer = 5 * time.Second

//go:embed logo.svg
var logo []byte

//go:embed sandbox.md
var page string

// Documentation returns the provider's page, in Markdown.
func Documentation() string { return page }

// Config is what a Connector is made of.
type Config struct {
	Now func() time.Time // what the fixtures' door calls now; nil: time.Now
}

// Connector is the sandbox provider. It is safe for concurrent use.
type Connector struct {
	now     func() time.Time
	handler http.Handler
}

// There is no Refresher: an ordinary credential never ends, and that of an
// expiring account ends for good.
var (
	_ connector.Connector  = (*Connector)(nil)
	_ connector.Authorizer = (*Connector)(nil)
	_ connector.Local      = (*Connector)(nil)
	_ connector.Instant    = (*Connector)(nil)
	_ connector.Checker    = (*Connector)(nil)
	_ connector.Revoker    = (*Connector)(nil)
)

// New returns the provider.
func New(config Config) *Connector {
	c := &Connector{now: config.Now}
	if c.now == nil {
		c.now = time.Now
	}
	c.handler = c.routes()
	return c
}

// Describe returns the provider's fixed facts. It is offered in the sandbox
// environment only.
func (*Connector) Describe() connector.Description {
	return connector.Description{
		ID:           ID,
		Name:         "Sandbox",
		Domain:       domain,
		Environments: []latchkey.Environment{latchkey.Sandbox},
		Logo:         slices.Clone(logo),
	}
}

// at returns the caller's moment, or the connector's own when it gave none.
func (c *Connector) at(moment time.Time) time.Time {
	if moment.IsZero() {
		return c.now()
	}
	return moment
}

// pause waits, or returns the context's error as soon as there is one.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the sandbox: %w", ctx.Err())
	}
}
