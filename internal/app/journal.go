package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"time"

	"latchkey"
)

// journalOverlap is how far back the journal is compared with the database:
// replicas revoke too, and their clocks differ.
const journalOverlap = time.Hour

// databasePath returns where the SQLite file is.
func (c Config) databasePath() string { return filepath.Join(c.Data, "latchkey.db") }

// journalOne puts what was revoked into the journal, before it is acknowledged.
// The database has it already: a journal that can't be written must not keep
// anybody from revoking. It catches up when it can, and until then it is told.
func (a *App) journalOne(entry latchkey.JournalEntry) {
	err := a.journal.Append(entry)
	a.metrics.journal(err == nil)
	if err != nil {
		a.parts.Log.Error("the revocation journal can't be written", "error", err)
	}
}

// beginJournal lets the journal name its database, and catch up with it.
func (a *App) beginJournal(ctx context.Context) error {
	proof, err := a.store.VaultProof(ctx)
	if err != nil {
		return err
	}
	if err := a.journal.Append(journalOf(proof)); err != nil {
		return err
	}
	return a.catchUp(ctx)
}

// journalOf is the entry that names a database by its vault's proof, which no
// other has. After a rotation of the vault's key it has another proof, and its
// journal both.
func journalOf(proof []byte) latchkey.JournalEntry {
	sum := sha256.Sum256(proof)
	return latchkey.JournalEntry{Kind: latchkey.JournalDatabase, Subject: hex.EncodeToString(sum[:])}
}

// catchUp puts what the journal lacks into it: what other replicas have revoked,
// and what was not written when a process died. A new journal gets everything.
func (a *App) catchUp(ctx context.Context) error {
	since := a.journal.Last()
	if !since.IsZero() {
		since = since.Add(-journalOverlap)
	}
	var batch []latchkey.JournalEntry
	err := a.store.Journal(ctx, since, func(entry latchkey.JournalEntry) error {
		if batch = append(batch, entry); len(batch) < 1000 {
			return nil
		}
		err := a.journal.Append(batch...)
		batch = batch[:0]
		return err
	})
	if err == nil {
		err = a.journal.Append(batch...)
	}
	a.metrics.journal(err == nil)
	return err
}
