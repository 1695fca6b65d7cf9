package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// shared is how long repeated uses of a connection by one key for one purpose
// share a record.
const shared = time.Minute

// rememberedUses bounds the memory of recent uses; when it is full it is
// emptied, which costs a record more and never one less.
const rememberedUses = 50_000

type use struct {
	actor, connection string
	purpose           Purpose
}

// recentUses remembers which uses have a record on disk already.
type recentUses struct {
	mu   sync.Mutex
	seen map[use]time.Time
}

func newRecentUses() *recentUses { return &recentUses{seen: map[use]time.Time{}} }

func (r *recentUses) recorded(wanted use, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.seen[wanted]
	return ok && now.Sub(at) < shared && now.Sub(at) >= 0
}

func (r *recentUses) remember(recorded use, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) >= rememberedUses {
		clear(r.seen)
	}
	r.seen[recorded] = now
}

// audit records who uses which connection for what, before it is used. Uses
// within a minute share their record, those at the same time also the failure
// to write it.
func (v *Vault) audit(ctx context.Context, connection latchkey.Connection, actor string, purpose Purpose) error {
	wanted := use{actor: actor, connection: connection.ID, purpose: purpose}
	if v.recent.recorded(wanted, v.config.Now()) {
		return nil
	}
	turn, first := v.writes.take(actor + "\x00" + connection.ID + "\x00" + string(purpose))
	if !first {
		if !turn.wait(ctx) {
			return ctx.Err()
		}
		return turn.err
	}
	err := errors.New("the record was not written")
	defer func() { turn.end(err) }()
	err = v.record(context.WithoutCancel(ctx), connection, wanted)
	return err
}

// record writes the record of a use.
func (v *Vault) record(ctx context.Context, connection latchkey.Connection, wanted use) error {
	now := v.config.Now()
	detail, err := json.Marshal(map[string]string{"purpose": string(wanted.purpose), "provider": connection.Provider})
	if err != nil {
		return fmt.Errorf("encode audit record: %w", err)
	}
	err = v.config.Store.RecordAudit(ctx, latchkey.AuditRecord{
		OrganisationID: connection.OrganisationID, Environment: connection.Environment, Actor: wanted.actor,
		Action: latchkey.AuditCredentialOpened, Subject: connection.ID, Detail: string(detail), CreatedAt: now,
	})
	if err != nil {
		return fmt.Errorf("record the use of %s: %w", connection.ID, err)
	}
	v.recent.remember(wanted, now)
	return nil
}
