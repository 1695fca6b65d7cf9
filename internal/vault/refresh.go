package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

const (
	refreshMargin = 30 * time.Second       // a credential this near its end is renewed first
	refreshLease  = 40 * time.Second       // how long one caller may take to renew it
	refreshPoll   = 100 * time.Millisecond // between looks at whether the other caller is done
	refreshWait   = 10 * time.Second       // how long the others wait
)

// refreshIfStale renews a credential that is near its end: one caller does,
// under a lease on the row, and the others wait for what it brings.
func (v *Vault) refreshIfStale(ctx context.Context, caller latchkey.Caller, provider connector.Connector,
	connection latchkey.Connection, sealed latchkey.SealedCredential,
) (latchkey.Connection, latchkey.SealedCredential, error) {
	now := v.config.Now()
	if sealed.ExpiresAt.IsZero() {
		return connection, sealed, nil
	}
	refresher, canRefresh := provider.(connector.Refresher)
	if !canRefresh {
		if now.Before(sealed.ExpiresAt) {
			return connection, sealed, nil
		}
		return connection, sealed, v.Report(ctx, connection, "session_expired")
	}
	if now.Before(sealed.ExpiresAt.Add(-refreshMargin)) {
		return connection, sealed, nil
	}
	until := now.Add(refreshLease)
	err := v.config.Store.LeaseRefresh(ctx, connection, now, until)
	switch {
	case latchkey.CodeOf(err) == latchkey.Conflict:
		return v.awaitRefresh(ctx, caller, connection, sealed)
	case err != nil:
		return connection, sealed, err
	}
	if err := v.refresh(ctx, refresher, connection, sealed); err != nil {
		// Ends our own lease, unless another caller has taken one since: the
		// next use may try again at once. It is no matter if it fails.
		_ = v.config.Store.LeaseRefresh(context.WithoutCancel(ctx), connection, until, now)
		return connection, sealed, err
	}
	return v.load(ctx, caller, connection.ID)
}

// refresh renews the credential and stores the new one before it is used.
func (v *Vault) refresh(ctx context.Context, refresher connector.Refresher, connection latchkey.Connection,
	sealed latchkey.SealedCredential,
) error {
	if err := v.audit(ctx, connection, system, PurposeRefresh); err != nil {
		return err
	}
	secret, err := v.config.Ring.Open(credentialBinding(connection.OrganisationID, connection.ID), sealed.Bytes)
	if err != nil {
		return fmt.Errorf("open credential of %s: %w", connection.ID, err)
	}
	defer clear(secret)
	fresh, err := refresher.Refresh(ctx, connector.Access{
		ConnectionID: connection.ID, Credential: secret, HTTP: v.config.Client(connection), Now: v.config.Now(),
	})
	if errors.Is(err, connector.ErrDead) {
		return v.Report(ctx, connection, "session_expired")
	}
	if err != nil {
		return &latchkey.Error{
			Code: latchkey.NetworkFailed, Message: "the provider could not renew the connection; try again",
			Err: fmt.Errorf("refresh %s: %w", connection.ID, err),
		}
	}
	defer clear(fresh.Secret)
	resealed, err := v.SealCredential(connection.OrganisationID, connection.ID, fresh.Secret)
	if err != nil {
		return err
	}
	return v.replace(context.WithoutCancel(ctx), connection, sealed.Bytes,
		latchkey.SealedCredential{Bytes: resealed, ExpiresAt: fresh.ExpiresAt})
}

// awaitRefresh waits until another caller has renewed the credential.
func (v *Vault) awaitRefresh(ctx context.Context, caller latchkey.Caller, connection latchkey.Connection,
	stale latchkey.SealedCredential,
) (latchkey.Connection, latchkey.SealedCredential, error) {
	ctx, cancel := context.WithTimeout(ctx, refreshWait)
	defer cancel()
	ticks := time.NewTicker(refreshPoll)
	defer ticks.Stop()
	for {
		current, sealed, err := v.load(ctx, caller, connection.ID)
		if err != nil || !bytes.Equal(sealed.Bytes, stale.Bytes) {
			return current, sealed, err
		}
		select {
		case <-ctx.Done():
			return connection, stale, latchkey.Errorf(latchkey.NetworkFailed,
				"the connection is being renewed; try again")
		case <-ticks.C:
		}
	}
}
