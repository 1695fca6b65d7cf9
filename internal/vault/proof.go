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
// caller. The connection expires for the error's reason. Only when a refresh
// has just brought a credential that never worked, the one before is taken up
// once more, since that refresh may have failed at the provider.
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
	return v.expire(ctx, opened.Connection, connector.ReasonOf(cause))
}
