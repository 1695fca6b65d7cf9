package store

import (
	"context"
	"fmt"
	"time"

	"latchkey"
)

// appendJournal keeps, in the transaction that revokes, that something was
// revoked.
func appendJournal(tx *tx, entry latchkey.JournalEntry) error {
	_, err := tx.exec(`INSERT INTO revocation_journal (id, kind, subject, version, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO NOTHING`, entry.ID(), string(entry.Kind), entry.Subject, entry.Version, micros(entry.At))
	if err != nil {
		return fmt.Errorf("keep that %s was revoked: %w", entry.Subject, err)
	}
	return nil
}

// tellRevoked tells, after a fact has been committed, what it revoked.
func (s *Store) tellRevoked(err error, entry latchkey.JournalEntry) {
	if err == nil && s.revoked != nil {
		s.revoked(entry)
	}
}

// Journal gives take what was revoked since a moment, in order of time.
func (s *Store) Journal(ctx context.Context, since time.Time, take func(latchkey.JournalEntry) error) error {
	return readJournal(ctx, s.engine.reader(), since, take)
}

// Journal is that of a database which is not served any more.
func (s *Snapshot) Journal(ctx context.Context, since time.Time, take func(latchkey.JournalEntry) error) error {
	return readJournal(ctx, plainReader{s.tx}, since, take)
}

func readJournal(ctx context.Context, run reader, since time.Time, take func(latchkey.JournalEntry) error) error {
	rows, err := run.QueryContext(ctx, `SELECT kind, subject, version, created_at FROM revocation_journal
		WHERE created_at >= $1 ORDER BY created_at, id`, micros(since))
	if err != nil {
		return fmt.Errorf("read the revocation journal: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var entry latchkey.JournalEntry
		var kind string
		var created int64
		if err := rows.Scan(&kind, &entry.Subject, &entry.Version, &created); err != nil {
			return fmt.Errorf("read the revocation journal: %w", err)
		}
		entry.Kind, entry.At = latchkey.JournalKind(kind), moment(created)
		if err := take(entry); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the revocation journal: %w", err)
	}
	return nil
}

// RevokeRestoredKey revokes an API key that was revoked after the backup which
// the database was restored from. It reports whether that changed anything.
func (s *Store) RevokeRestoredKey(ctx context.Context, entry latchkey.JournalEntry, now time.Time) (bool, error) {
	var changed int64
	err := s.fact(ctx, func(tx *tx) error {
		key, err := scanKey(tx.row(`UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at = 0
			RETURNING `+keyColumns, entry.Subject, micros(entry.At)))
		if latchkey.CodeOf(orNotFound(err, "API key")) == latchkey.NotFound {
			return appendJournal(tx, entry) // made after the backup, or revoked in it
		}
		if err != nil {
			return fmt.Errorf("revoke key %s: %w", entry.Subject, err)
		}
		changed = 1
		if err := appendJournal(tx, entry); err != nil {
			return err
		}
		return insertAudit(tx, []latchkey.AuditRecord{{
			OrganisationID: key.OrganisationID, Environment: key.Environment, Actor: "latchkey", Action: latchkey.AuditKeyRevoked,
			Subject: key.ID, Detail: `{"reason":"restored"}`, CreatedAt: now,
		}})
	})
	return changed == 1, err
}

// KeepJournal keeps an entry that changes nothing here.
func (s *Store) KeepJournal(ctx context.Context, entry latchkey.JournalEntry) error {
	return s.fact(ctx, func(tx *tx) error { return appendJournal(tx, entry) })
}
