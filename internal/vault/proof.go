package vault

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"

	"latchkey"
	"latchkey/internal/connector"
)

// Prove tells that the provider took the opened credential. Of one that a
// refresh has brought it was not certain until then, and the one before was
// kept; that is forgotten now.
func (v *Vault) Prove(ctx context.Context, opened *Opened) {
	if !opened.sealed.Unproved {
		return
	}
	proved := use{connection: opened.Connection.ID, purpose: Purpose(strconv.FormatInt(opened.Connection.Version, 10))}
	now := v.config.Now()
	if v.proofs.recorded(proved, now) {
		return
	}
	v.proofs.remember(proved, now)
	err := v.config.Store.ProveCredential(context.WithoutCancel(ctx), opened.Connection)
	if err != nil && latchkey.CodeOf(err) != latchkey.Conflict { // the next use proves it too
		v.config.Log.WarnContext(ctx, "prove credential", slog.String("connection", opened.Connection.ID), slog.String("cause", err.Error()))
	}
}

// Report tells what the provider answered to the use of an opened connection
// with an error that is a connector.ErrDead, and returns the error for the
// caller. The connection expires for the error's reason, but for two cases.
// When a refresh has just brought a credential that never worked, the one before
// is taken up once more, since that refresh may have failed at the provider. And
// what can be renewed is renewed first: an access token may end before its time
// while the refresh token behind it is good.
func (v *Vault) Report(ctx context.Context, opened *Opened, cause error) error {
	ctx = context.WithoutCancel(ctx)
	if opened.sealed.Unproved {
		err := v.config.Store.RestoreCredential(ctx, opened.Connection, v.config.Now())
		if err == nil {
			return errRenewing
		}
		if latchkey.CodeOf(err) != latchkey.Conflict {
			return fmt.Errorf("restore credential of %s: %w", opened.Connection.ID, err)
		}
	}
	refresher, ok := opened.Connector.(connector.Refresher)
	if ok && !opened.sealed.ExpiresAt.IsZero() && !v.proofs.recorded(freshly(opened.Connection), v.config.Now()) {
		caller := latchkey.Caller{
			KeyID: system, OrganisationID: opened.Connection.OrganisationID, Environment: opened.Connection.Environment,
		}
		_, _, err := v.renewed(ctx, renewal{caller, opened.Connector, refresher, opened.Connection, opened.sealed})
		if err != nil {
			return err // it has expired, or nobody can say yet
		}
		return errRenewing
	}
	return v.expire(ctx, opened.Connection, connector.ReasonOf(cause))
}

// freshly marks that a refresh has brought the connection's credential a moment
// ago: what another one would bring is no better.
func freshly(connection latchkey.Connection) use {
	return use{connection: connection.ID, purpose: PurposeRefresh}
}
