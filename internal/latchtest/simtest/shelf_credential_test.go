package simtest

import (
	"context"
	"time"

	"latchkey"
)

// opened is a connection with its sealed credential.
type opened = two[latchkey.Connection, latchkey.SealedCredential]

// Credential finds a connection with its credential. One planted bug answers
// from what this replica has read before, another forgets whose it must be.
func (s shelf) Credential(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (latchkey.Connection, latchkey.SealedCredential, error) {
	if s.bug == bugStaleCache {
		if known, ok := s.cache.get(organisationID + id); ok {
			return known.a, known.b, nil
		}
	}
	found, err := ask(ctx, s, "Credential", id, func(ctx context.Context) (opened, error) {
		if s.bug == bugOthersRow {
			if connection, err := s.database.store.ConnectionByID(ctx, id); err == nil {
				organisationID = connection.OrganisationID
			}
		}
		connection, sealed, err := s.database.store.Credential(ctx, organisationID, environment, id)
		return opened{connection, sealed}, err
	})
	if s.bug == bugStaleCache && err == nil {
		s.cache.put(organisationID+id, found)
	}
	return found.a, found.b, err
}

// ReplaceCredential keeps a changed credential.
func (s shelf) ReplaceCredential(ctx context.Context, connection latchkey.Connection, sealed latchkey.SealedCredential,
	now time.Time,
) error {
	return tell(ctx, s, "ReplaceCredential", connection.ID, func(ctx context.Context) error {
		return s.database.store.ReplaceCredential(ctx, connection, sealed, now)
	})
}

// ProveCredential forgets the credential before.
func (s shelf) ProveCredential(ctx context.Context, connection latchkey.Connection) error {
	return tell(ctx, s, "ProveCredential", connection.ID, func(ctx context.Context) error {
		return s.database.store.ProveCredential(ctx, connection)
	})
}

// RestoreCredential goes back to the credential before.
func (s shelf) RestoreCredential(ctx context.Context, connection latchkey.Connection, now time.Time) error {
	return tell(ctx, s, "RestoreCredential", connection.ID, func(ctx context.Context) error {
		return s.database.store.RestoreCredential(ctx, connection, now)
	}, func() { s.bank.restored(connection.ID) })
}

// LeaseRefresh gives one caller the right to refresh. With a bug planted
// everybody gets it.
func (s shelf) LeaseRefresh(ctx context.Context, connection latchkey.Connection, now, until time.Time) error {
	return tell(ctx, s, "LeaseRefresh", connection.ID, func(ctx context.Context) error {
		err := s.database.store.LeaseRefresh(ctx, connection, now, until)
		if s.bug == bugLooseLease && latchkey.CodeOf(err) == latchkey.Conflict {
			return nil
		}
		return err
	})
}

// RefreshCredential keeps what a refresh brought.
func (s shelf) RefreshCredential(ctx context.Context, connection latchkey.Connection, until time.Time,
	sealed latchkey.SealedCredential, now time.Time,
) error {
	return tell(ctx, s, "RefreshCredential", connection.ID, func(ctx context.Context) error {
		return s.database.store.RefreshCredential(ctx, connection, until, sealed, now)
	}, func() { s.bank.kept(s.replica, connection.ID) })
}

// ReleaseRefresh ends a lease that brought nothing.
func (s shelf) ReleaseRefresh(ctx context.Context, connection latchkey.Connection, until time.Time) error {
	return tell(ctx, s, "ReleaseRefresh", connection.ID, func(ctx context.Context) error {
		return s.database.store.ReleaseRefresh(ctx, connection, until)
	})
}

// ClaimRevocations claims credentials that are to be ended.
func (s shelf) ClaimRevocations(ctx context.Context, now time.Time, limit int, lease time.Duration,
) ([]latchkey.Revocation, error) {
	if s.promises.rests(now) {
		return nil, nil
	}
	claimed, err := ask(ctx, s, "ClaimRevocations", "", func(ctx context.Context) ([]latchkey.Revocation, error) {
		return s.database.store.ClaimRevocations(ctx, now, limit, lease)
	})
	s.promises.claimed(len(claimed), err)
	return claimed, err
}

// Revocation claims one.
func (s shelf) Revocation(ctx context.Context, id string, now time.Time, lease time.Duration) (latchkey.Revocation, error) {
	return ask(ctx, s, "Revocation", id, func(ctx context.Context) (latchkey.Revocation, error) {
		return s.database.store.Revocation(ctx, id, now, lease)
	}, func(latchkey.Revocation) { s.promises.touch() })
}

// KeepRevocation promises to end a credential.
func (s shelf) KeepRevocation(ctx context.Context, revocation latchkey.Revocation) error {
	return tell(ctx, s, "KeepRevocation", revocation.ID, func(ctx context.Context) error {
		return s.database.store.KeepRevocation(ctx, revocation)
	}, s.promises.touch)
}

// FinishRevocation forgets a promise that is kept.
func (s shelf) FinishRevocation(ctx context.Context, id string, receipt latchkey.AuditRecord) error {
	return tell(ctx, s, "FinishRevocation", id, func(ctx context.Context) error {
		return s.database.store.FinishRevocation(ctx, id, receipt)
	}, s.promises.touch)
}

// PostponeRevocation puts a promise off.
func (s shelf) PostponeRevocation(ctx context.Context, id string, due time.Time, receipts ...latchkey.AuditRecord) error {
	return tell(ctx, s, "PostponeRevocation", id, func(ctx context.Context) error {
		return s.database.store.PostponeRevocation(ctx, id, due, receipts...)
	}, s.promises.touch)
}
