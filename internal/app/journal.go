package app

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
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
	id, err := a.databaseID(ctx)
	if err != nil {
		return err
	}
	if err := a.journal.Append(journalOf(id)); err != nil {
		return err
	}
	return a.catchUp(ctx)
}

// databaseID returns the database's id, which is made at its first start.
func (a *App) databaseID(ctx context.Context) ([]byte, error) {
	id, err := a.store.DatabaseID(ctx)
	if err != nil || id != nil {
		return id, err
	}
	id = make([]byte, databaseIDSize)
	if _, err := io.ReadFull(a.parts.Random, id); err != nil {
		return nil, fmt.Errorf("make the database's id: %w", err)
	}
	return a.store.KeepDatabaseID(ctx, id) // of several replicas the first to come wins
}

// databaseIDSize is the length of a database's id, in bytes.
const databaseIDSize = 16

// journalOf is the entry that names a database.
func journalOf(id []byte) latchkey.JournalEntry {
	return latchkey.JournalEntry{Kind: latchkey.JournalDatabase, Subject: hex.EncodeToString(id)}
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
