package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"latchkey"
	"latchkey/internal/journal"
	"latchkey/internal/store"
	"latchkey/internal/store/dump"
)

// Restore says what is restored, and how it is known what was revoked since.
type Restore struct {
	From        string   // the backup
	Revocations []string // revocation journals; empty: the configuration's, if it is there
	Since       string   // path or URL of the old database, if it can still be read
	// WithoutRevocations restores though nobody knows what was revoked since the
	// backup. All of it is valid again.
	WithoutRevocations bool
}

// Restored tells what a restore has done.
type Restored struct {
	BackedUp
	Keys        int   // API keys that were revoked again
	Connections int   // connections that were ended again
	Sessions    int64 // link sessions that were open, and are over
	Known       bool  // whether it is known what was revoked since the backup
}

// ErrRevocationsUnknown says that a restore would make valid again what was
// revoked since the backup.
var ErrRevocationsUnknown = errors.New("it is not known what was revoked since the backup: no revocation journal is where the " +
	"configuration says. API keys and connections that were revoked since then would be valid again. " +
	"Name the journal with --revocations or the old database with --since-database; " +
	"if both are lost, --without-revocations restores all the same, and you then revoke by hand what must not be valid")

// RestoreBackup fills the empty database of the configuration from a backup. It
// reads all of the file before it writes anything, compares what it has written,
// revokes again what was revoked since, and only then lets servers take the
// database.
func RestoreBackup(ctx context.Context, config Config, wanted Restore, parts Parts) (Restored, error) {
	config, err := config.complete()
	if err != nil {
		return Restored{}, err
	}
	known := map[string]bool{} // what the backup itself says was revoked
	var database []byte
	done := Restored{}
	done.BackedUp, err = readBackup(ctx, config, wanted.From, func(table dump.Table, row []any) {
		if table.Name == "revocation_journal" {
			id, _ := row[table.Index("id")].(string)
			known[id] = true
		}
		if name, _ := row[0].(string); table.Name == "meta" && name == "database_id" {
			database, _ = row[table.Index("value")].([]byte)
		}
	})
	if err != nil {
		return Restored{}, err
	}
	revoked, err := revocations(ctx, config, wanted)
	if err != nil {
		return Restored{}, err
	}
	done.Known = revoked != nil
	if done.Known {
		if database != nil {
			known[journalOf(database).ID()] = true
		}
		for id := range known {
			if _, has := revoked[id]; !has {
				return Restored{}, fmt.Errorf("the revocation journal is of another database or older than the backup: it lacks %s", id)
			}
		}
	}
	target, finish, err := restoreTarget(config)
	if err != nil {
		return Restored{}, err
	}
	err = withBackup(ctx, config, wanted.From, func(backup *dump.Reader) error {
		return store.Restore(ctx, target.place(), backup)
	})
	if err != nil {
		return Restored{}, err
	}
	if err := replay(ctx, target, parts, revoked, &done); err != nil {
		return Restored{}, err
	}
	return done, finish()
}

// restoreTarget is the configuration of the database to be filled. A file is
// filled in a folder of its own, and then put in its place.
func restoreTarget(config Config) (Config, func() error, error) {
	target := config
	target.Unfinished = true
	if config.DatabaseURL != "" {
		return target, func() error { return nil }, nil
	}
	for _, name := range []string{"", "-wal", "-shm"} { // an old log would be taken for the new file's
		if _, err := os.Lstat(config.databasePath() + name); !errors.Is(err, os.ErrNotExist) {
			return target, nil, fmt.Errorf("%w: %s is there", store.ErrNotEmpty, config.databasePath()+name)
		}
	}
	target.Data = filepath.Join(config.Data, "restoring")
	if err := os.RemoveAll(target.Data); err != nil {
		return target, nil, fmt.Errorf("clear what an earlier restore left: %w", err)
	}
	return target, func() error {
		if info, err := os.Stat(target.databasePath() + "-wal"); err == nil && info.Size() > 0 {
			return errors.New("the restored database is still in use")
		}
		if err := os.Rename(target.databasePath()+".migrate-lock", config.databasePath()+".migrate-lock"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("put the database in its place: %w", err)
		}
		if err := putInPlace(target.databasePath(), config.databasePath()); err != nil {
			return err
		}
		return os.RemoveAll(target.Data)
	}, nil
}

// revocations reads what was revoked, by id; nil when nobody knows.
func revocations(ctx context.Context, config Config, wanted Restore) (map[string]latchkey.JournalEntry, error) {
	files := wanted.Revocations
	if _, err := os.Stat(config.Journal); err == nil && len(files) == 0 {
		files = []string{config.Journal}
	}
	if len(files) == 0 && wanted.Since == "" {
		if wanted.WithoutRevocations {
			return nil, nil
		}
		return nil, ErrRevocationsUnknown
	}
	revoked := map[string]latchkey.JournalEntry{}
	take := func(entry latchkey.JournalEntry) error {
		revoked[entry.ID()] = entry
		return nil
	}
	for _, file := range files {
		if err := journal.Read(file, take); err != nil {
			return nil, err
		}
	}
	if wanted.Since == "" {
		return revoked, nil
	}
	old, err := store.OpenSnapshot(ctx, placeOf(wanted.Since))
	if err != nil {
		return nil, fmt.Errorf("read the old database: %w", err)
	}
	defer func() { _ = old.Close() }()
	revoked[journalOf(old.Header().Database).ID()] = journalOf(old.Header().Database)
	return revoked, old.Journal(ctx, latchkey.JournalEntry{}.At, take)
}

// replay revokes again what was revoked since the backup, and lets servers take
// the database.
func replay(ctx context.Context, target Config, parts Parts, revoked map[string]latchkey.JournalEntry, done *Restored) error {
	latch, err := New(ctx, target, parts)
	if err != nil {
		return err
	}
	err = latch.revokeAgain(ctx, revoked, done)
	if err == nil {
		done.Sessions, err = latch.store.StepOver(ctx, latch.parts.Now())
	}
	if err == nil {
		err = latch.store.FinishRestore(ctx)
	}
	return errors.Join(err, latch.Stop(ctx))
}

func (a *App) revokeAgain(ctx context.Context, revoked map[string]latchkey.JournalEntry, done *Restored) error {
	for _, entry := range revoked {
		changed, count := false, &done.Keys
		var err error
		switch entry.Kind {
		case latchkey.JournalKey:
			changed, err = a.store.RevokeRestoredKey(ctx, entry, a.parts.Now())
		case latchkey.JournalConnection:
			count = &done.Connections
			changed, err = a.links.EndRestored(ctx, a.store, entry)
		}
		if err != nil {
			return fmt.Errorf("revoke %s again: %w", entry.Subject, err)
		}
		if changed {
			*count++
		}
	}
	return nil
}
