package link

import (
	"context"

	"latchkey"
)

// RestoredStore is what of the store EndRestored needs.
type RestoredStore interface {
	// LiftConnection lets a connection have the version with which it ended.
	LiftConnection(ctx context.Context, id string, version int64) error
	// KeepJournal keeps that something was revoked.
	KeepJournal(ctx context.Context, entry latchkey.JournalEntry) error
}

// EndRestored ends a connection again that had ended after the backup which the
// database was restored from, and reports whether it was live. Its credential is
// ended at the provider too, and its app is told.
func (l *Links) EndRestored(ctx context.Context, store RestoredStore, entry latchkey.JournalEntry) (bool, error) {
	connection, err := l.config.Connections.ConnectionByID(ctx, entry.Subject)
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return false, store.KeepJournal(ctx, entry)
	}
	if err != nil {
		return false, err
	}
	removed := entry.Version == latchkey.RemovedVersion
	if !removed && (connection.Version >= entry.Version || connection.Status == latchkey.ConnectionExpired) {
		return false, store.KeepJournal(ctx, entry)
	}
	if removed {
		return connection.Status == latchkey.ConnectionActive, l.removeConnection(ctx, connection, system)
	}
	if err := store.LiftConnection(ctx, connection.ID, entry.Version); err != nil {
		return false, err
	}
	connection.Version = entry.Version
	if err := l.expireConnection(ctx, connection, "invalidated", system); err != nil {
		return false, err
	}
	return true, store.KeepJournal(ctx, entry)
}
