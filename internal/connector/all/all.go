// Package all is the list of providers. A provider's folder and its line here
// are all that makes it known.
//
//	sandbox atproto … ──▶ Connectors ──▶ app ──▶ link, vault, proxy, hosted pages
package all

import (
	"time"

	"latchkey/internal/connector"
	"latchkey/internal/connector/atproto"
	"latchkey/internal/connector/matrix"
	"latchkey/internal/connector/sandbox"
)

// Connectors returns every provider, in the order in which they are shown. They
// tell the time by now.
func Connectors(now func() time.Time) []connector.Connector {
	return []connector.Connector{
		sandbox.New(sandbox.Config{Now: now}),
		atproto.New(atproto.Config{}),
		matrix.New(matrix.Config{}),
	}
}
