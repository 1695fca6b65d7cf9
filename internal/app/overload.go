package app

import (
	"strings"

	"latchkey"
	"latchkey/internal/store"
	"latchkey/internal/web"
)

// gates bound how much is under way at once, apart by what it waits for: a
// provider that hangs must not stop what needs no provider, and nothing may
// stop what ends things.
type gates struct {
	requests *web.Gate // answered from the database alone
	logins   *web.Gate // may wait for a provider: pages, and logins by API
	calls    *web.Gate // wait for a provider: calls of connections
	endings  *web.Gate // revoke, cancel, delete
}

func newGates(limits Limits) gates {
	return gates{
		requests: web.NewGate(limits.RequestsAtOnce), logins: web.NewGate(limits.LoginsAtOnce),
		calls: web.NewGate(limits.CallsAtOnce), endings: web.NewGate(limits.RequestsAtOnce),
	}
}

// of returns the gate of a route; nil where there is none: probes and assets
// cost less than to refuse them.
func (g gates) of(route web.Route) *web.Gate {
	switch {
	case route.Kind == web.KindPublic:
		return nil
	case route.Kind != web.KindAPI:
		return g.logins
	case route.Scope == latchkey.ScopeAccess:
		return g.calls
	case strings.HasPrefix(route.Pattern, "DELETE "), strings.HasSuffix(route.Pattern, "/invalidate"):
		return g.endings
	case strings.HasSuffix(route.Pattern, "/submit"), strings.Contains(route.Pattern, "/import"):
		return g.logins
	}
	return g.requests
}

// tryLater tells web what of the store's errors may be answered with a later.
func tryLater(err error) error {
	if refused := store.Refusal(err); refused != nil {
		return refused
	}
	return nil
}
