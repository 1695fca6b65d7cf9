package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

const (
	refreshMargin  = 30 * time.Second      // a credential this near its end is renewed first
	refreshTimeout = 20 * time.Second      // of the provider; what it answered must be stored before the lease ends
	refreshLease   = 40 * time.Second      // how long one caller may take to renew it
	refreshKeep    = 20 * time.Second      // of the lease, for storing what the provider answered
	refreshPoll    = 50 * time.Millisecond // between looks at whether another replica is done
	refreshWait    = 10 * time.Second      // how long the others wait
)

// refreshIfStale renews a credential that is near its end, or expires the
// connection when that can't be done.
func (v *Vault) refreshIfStale(ctx context.Context, caller latchkey.Caller, provider connector.Connector,
	connection latchkey.Connection, sealed latchkey.SealedCredential,
) (latchkey.Connection, latchkey.SealedCredential, error) {
	now := v.config.Now()
	refresher, canRefresh := provider.(connector.Refresher)
	switch {
	case !sealed.EndsAt.IsZero() && !now.Before(sealed.EndsAt):
		return connection, sealed, v.expire(ctx, connection, connector.DeadSession)
	case sealed.ExpiresAt.IsZero():
		return connection, sealed, nil
	case !canRefresh:
		if now.Before(sealed.ExpiresAt) {
			return connection, sealed, nil
		}
		return connection, sealed, v.expire(ctx, connection, connector.DeadSession)
	case !isStale(sealed, now):
		return connection, sealed, nil
	}
	return v.renewed(ctx, renewal{caller, provider, refresher, connection, sealed})
}

// isStale reports whether a credential must be renewed before it is used.
func isStale(sealed latchkey.SealedCredential, now time.Time) bool {
	return !sealed.ExpiresAt.IsZero() && !now.Before(sealed.ExpiresAt.Add(-refreshMargin))
}

// renewal is a credential that was found stale.
type renewal struct {
	caller     latchkey.Caller
	provider   connector.Connector
	refresher  connector.Refresher
	connection latchkey.Connection
	sealed     latchkey.SealedCredential
}

// errRenewing is the answer to who has waited long enough for another caller.
var errRenewing = latchkey.Errorf(latchkey.NetworkFailed, "the connection is being renewed; try again")

// renewed returns the connection with a credential that is no longer stale. Of
// the callers in this process one sees to it and the others wait; of the
// processes one does it, under a lease on the row. A failure is everybody's
// who waited, so that many callers are one question to the provider.
func (v *Vault) renewed(ctx context.Context, r renewal) (latchkey.Connection, latchkey.SealedCredential, error) {
	waiting, cancel := context.WithTimeout(ctx, refreshWait)
	defer cancel()
	for {
		turn, first := v.turns.take(r.connection.ID)
		if first {
			v.lead(waiting, turn, r)
		} else if !turn.wait(waiting) {
			return r.connection, r.sealed, errRenewing
		}
		if turn.err != nil && (first || !errors.Is(turn.err, errRenewing)) {
			return r.connection, r.sealed, turn.err
		}
		if turn.err == nil {
			return v.load(ctx, r.caller, r.connection.ID)
		}
	}
}

// lead renews the credential for all who wait for the turn.
func (v *Vault) lead(ctx context.Context, turn *turn, r renewal) {
	err := error(errRenewing)
	defer func() { turn.end(err) }()
	err = v.renew(ctx, r)
}

// renew renews the credential, or waits until another replica has. It takes
// the lease of one that has died as soon as that is over.
func (v *Vault) renew(ctx context.Context, r renewal) error {
	ticks := time.NewTicker(refreshPoll)
	defer ticks.Stop()
	stale := r.sealed
	for {
		now := v.config.Now()
		until := now.Add(refreshLease)
		err := v.config.Refreshes.LeaseRefresh(ctx, r.connection, now, until)
		if err == nil {
			return v.refresh(ctx, r, until)
		}
		if latchkey.CodeOf(err) != latchkey.Conflict {
			return err
		}
		select {
		case <-ctx.Done():
			return errRenewing
		case <-ticks.C:
		}
		r.connection, r.sealed, err = v.load(ctx, r.caller, r.connection.ID)
		if err != nil {
			return err
		}
		if !r.sealed.ExpiresAt.Equal(stale.ExpiresAt) || !isStale(r.sealed, v.config.Now()) {
			return nil
		}
	}
}

// refresh renews the credential under the lease and stores the new one before
// it is used. It goes on when the caller leaves: what the provider has answered
// must be kept. If the process dies meanwhile, the lease stays and tells of it.
func (v *Vault) refresh(ctx context.Context, r renewal, until time.Time) error {
	ctx = context.WithoutCancel(ctx)
	fresh, err := v.ask(ctx, r, until)
	switch {
	case errors.Is(err, errRenewing):
		v.release(ctx, r.connection, until)
		return errRenewing
	case errors.Is(err, connector.ErrDead):
		reason := connector.ReasonOf(err)
		if !r.sealed.RefreshBegun.IsZero() {
			reason = connector.DeadSession // nobody has withdrawn it: the answer to the last refresh was lost
			v.config.Log.ErrorContext(ctx, "a refresh that was cut short has cost a connection", slog.String("connection", r.connection.ID))
		}
		return v.expire(ctx, r.connection, reason)
	case err != nil:
		v.release(ctx, r.connection, until)
		if errors.Is(err, connector.ErrBlocked) && v.config.Blocked != nil {
			v.config.Blocked(r.connection.Provider, err)
		}
		return &latchkey.Error{
			Code: latchkey.NetworkFailed, Message: "the provider could not renew the connection; try again",
			Err: fmt.Errorf("refresh %s: %w", r.connection.ID, err),
		}
	}
	defer clear(fresh.Secret)
	bytes, err := v.SealCredential(r.connection.OrganisationID, r.connection.ID, fresh.Secret)
	if err != nil {
		return err
	}
	return v.keepFresh(ctx, r, until, latchkey.SealedCredential{
		Bytes: bytes, ExpiresAt: fresh.ExpiresAt, EndsAt: connector.EndOf(r.provider, fresh),
	})
}

// ask opens the credential, after the record of it, and has the provider
// exchange it for another, while the lease leaves time for that. A process that
// stood still since it took the lease (a paused machine, a database that took
// its time) asks nothing: another may have spent the credential meanwhile, and a
// provider that sees it twice ends the grant (RFC 9700, section 4.14.2).
func (v *Vault) ask(ctx context.Context, r renewal, until time.Time) (connector.Credential, error) {
	if err := v.audit(ctx, r.connection, system, PurposeRefresh); err != nil {
		return connector.Credential{}, err
	}
	secret, err := v.openCredential(r.connection, r.sealed)
	if err != nil {
		return connector.Credential{}, err
	}
	defer clear(secret)
	left := min(refreshTimeout, until.Sub(v.config.Now())-refreshKeep)
	if left <= 0 {
		return connector.Credential{}, errRenewing
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	return r.refresher.Refresh(ctx, connector.Access{
		ConnectionID: r.connection.ID, Credential: secret, HTTP: v.config.Client(r.connection), Now: v.config.Now(),
	})
}

// release ends a lease that brought nothing. If that fails, it ends by itself.
func (v *Vault) release(ctx context.Context, connection latchkey.Connection, until time.Time) {
	err := v.config.Refreshes.ReleaseRefresh(ctx, connection, until)
	if err != nil && latchkey.CodeOf(err) != latchkey.Conflict {
		v.config.Log.WarnContext(ctx, "release a refresh", slog.String("connection", connection.ID), slog.String("cause", err.Error()))
	}
}

// keepFresh stores what a refresh brought. For a connection that has ended
// meanwhile it is promised to be ended too.
func (v *Vault) keepFresh(ctx context.Context, r renewal, until time.Time, fresh latchkey.SealedCredential) error {
	now := v.config.Now()
	fresh.WarnAt = connector.WarningAt(now, fresh.EndsAt)
	err := v.config.Refreshes.RefreshCredential(ctx, r.connection, until, fresh, now)
	if err == nil {
		v.proofs.remember(freshly(r.connection), now)
	}
	if latchkey.CodeOf(err) != latchkey.Conflict {
		return err
	}
	_, _, err = v.load(ctx, r.caller, r.connection.ID)
	if code := latchkey.CodeOf(err); code == latchkey.SessionExpired || code == latchkey.SessionNotProvided {
		ended := r.connection
		return errors.Join(err, v.config.Refreshes.KeepRevocation(ctx, latchkey.Revocation{
			ID:         latchkey.RevocationID(ended.ID, ended.Version) + ".refreshed",
			Connection: ended, Credential: fresh.Bytes, DueAt: now, CreatedAt: now,
		}))
	}
	return err // nil: it was linked anew, and has what that brought
}
