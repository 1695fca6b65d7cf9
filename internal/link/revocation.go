package link

import (
	"context"
	"log/slog"
	"math/bits"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// The patience with which a provider is told of the end of a credential.
const (
	revokeAtOnce    = 3 * time.Second // while the caller waits for the answer
	firstRevokeWait = 5 * time.Second // after the first failure; doubling
	lastRevokeWait  = time.Hour
)

// system is the actor of what nobody outside asked for.
const system = "latchkey"

// revokeNow tries the revocation of a connection that has just ended, so that
// it is usually done when the caller gets the answer. If it fails or takes
// long, the background tries it again until it is done.
func (l *Links) revokeNow(ctx context.Context, before latchkey.Connection) {
	id := latchkey.RevocationID(before.ID, before.Version+1)
	revocation, err := l.config.Revocations.Revocation(ctx, id, l.config.Now(), tryLease)
	if err != nil {
		return // there was no credential, or the background has it already
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeAtOnce)
	defer cancel()
	l.Revoke(ctx, revocation)
}

// ClaimRevocations takes revocations that are due.
func (l *Links) ClaimRevocations(ctx context.Context, limit int) ([]latchkey.Revocation, error) {
	return l.config.Revocations.ClaimRevocations(ctx, l.config.Now(), limit, tryLease)
}

// Revoke ends a claimed credential at its provider, or puts it off: 5 seconds
// after the first failure, doubling up to an hour, for as long as it takes. A
// provider that refuses to be asked is not asked while it is left alone. What
// came of it is on record.
func (l *Links) Revoke(ctx context.Context, revocation latchkey.Revocation) {
	entered, until, ok := l.breakers.enter(revocation.Connection.Provider)
	if !ok {
		l.postpone(ctx, revocation, until)
		return
	}
	revocable, err := l.config.Revoke(ctx, revocation)
	l.breakers.leave(entered, err, revocable)
	written := context.WithoutCancel(ctx)
	if err == nil {
		action := latchkey.AuditRevoked
		if !revocable {
			action = latchkey.AuditNotRevocable
		}
		err = l.config.Revocations.FinishRevocation(written, revocation.ID, l.receipt(revocation, action))
	} else {
		due := l.config.Now().Add(min(lastRevokeWait, firstRevokeWait<<min(revocation.Attempts-1, 10)))
		var receipts []latchkey.AuditRecord
		if bits.OnesCount(uint(revocation.Attempts)) == 1 { //nolint:gosec // of the attempts 1, 2, 4, 8 …
			receipts = append(receipts, l.receipt(revocation, latchkey.AuditRevocationFailed))
		}
		l.postpone(ctx, revocation, due, receipts...)
	}
	if err != nil {
		l.config.Log.LogAttrs(ctx, slog.LevelWarn, "revocation not done yet", slog.String("revocation", revocation.ID),
			slog.Int("attempts", revocation.Attempts), slog.String("cause", err.Error()))
	}
}

func (l *Links) postpone(ctx context.Context, revocation latchkey.Revocation, due time.Time, receipts ...latchkey.AuditRecord) {
	err := l.config.Revocations.PostponeRevocation(context.WithoutCancel(ctx), revocation.ID, due, receipts...)
	if err != nil {
		l.config.Log.ErrorContext(ctx, "postpone revocation", "revocation", revocation.ID, "error", err)
	}
}

// receipt is the record of how an attempt to end a credential ended.
func (l *Links) receipt(revocation latchkey.Revocation, action latchkey.AuditAction) latchkey.AuditRecord {
	connection := revocation.Connection
	detail, err := json.Marshal(struct {
		Provider string `json:"provider"`
		Attempts int    `json:"attempts"`
		Since    string `json:"since"`
	}{connection.Provider, revocation.Attempts, latchkey.FormatTime(revocation.CreatedAt)})
	if err != nil {
		detail = []byte("{}")
	}
	return latchkey.AuditRecord{
		OrganisationID: connection.OrganisationID, Environment: connection.Environment, Actor: system,
		Action: action, Subject: connection.ID, Detail: string(detail), CreatedAt: l.config.Now(),
	}
}
