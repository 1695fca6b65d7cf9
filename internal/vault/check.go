package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// checkTimeout bounds how long the provider is asked who a connection is.
const checkTimeout = 20 * time.Second

// Check asks the provider, by nobody's order, whether a live connection is
// still good, and reports whether it said yes. Where the provider can't be
// asked, it is false without an error: then a stale credential was renewed and
// no more. The error of a connection that has ended is SESSION_EXPIRED; it has
// been told. Any other says nothing about the connection.
func (v *Vault) Check(ctx context.Context, connection latchkey.Connection) (confirmed bool, err error) {
	caller := latchkey.Caller{KeyID: system, OrganisationID: connection.OrganisationID, Environment: connection.Environment}
	connection, sealed, err := v.load(ctx, caller, connection.ID)
	if err != nil {
		return false, err
	}
	provider, ok := v.config.Connector(connection.Provider)
	if !ok {
		return false, fmt.Errorf("connection %s: provider %s is not served here", connection.ID, connection.Provider)
	}
	connection, sealed, err = v.refreshIfStale(ctx, caller, provider, connection, sealed)
	if err != nil {
		return false, err
	}
	checker, ok := provider.(connector.Checker)
	if !ok {
		return false, nil
	}
	if err := v.audit(ctx, connection, system, PurposeCheck); err != nil {
		return false, err
	}
	opened, err := v.opened(provider, connection, sealed)
	if err != nil {
		return false, err
	}
	defer opened.Close()
	asking, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	_, err = checker.Check(asking, opened.Access(v.config.Now()))
	switch {
	case errors.Is(err, connector.ErrDead):
		return false, v.Report(ctx, opened, err)
	case err != nil:
		return false, fmt.Errorf("check %s at %s: %w", connection.ID, connection.Provider, err)
	}
	v.Prove(ctx, opened)
	return true, nil
}
