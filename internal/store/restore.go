package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"latchkey/internal/store/dump"
)

// restoreNote marks a database that is being restored.
const restoreNote = "restore"

// afterRestore is how far numbers jump: what was given out after the backup is
// lost, and must never name something else. A reader whose cursor is gone gets
// everything again.
const afterRestore = 1 << 20

// Restore fills an empty database with the rows of a backup, in one transaction,
// and then compares what is in it with what the backup says. The database stays
// marked as unfinished, so that no server takes it, until FinishRestore.
func Restore(ctx context.Context, config Config, backup *dump.Reader) error {
	// A file that a crash leaves behind is thrown away: it needs no journal.
	target, begun, err := openLoader(ctx, config,
		"_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-65536)", backup.Header(), restoreNote)
	if err != nil {
		return err
	}
	err = target.within(ctx, func(f *filling) error {
		if begun {
			if err := f.clear(ctx, target.tables); err != nil {
				return err
			}
		}
		if err := fill(ctx, f, backup); err != nil {
			return err
		}
		last := maps.Clone(backup.Header().Sequences)
		for table := range last {
			last[table] += afterRestore
		}
		if err := f.number(ctx, last); err != nil {
			return err
		}
		return f.note(ctx, unfinishedNote, []byte(restoreNote))
	})
	if err := errors.Join(err, target.close()); err != nil {
		return err
	}
	return checkRestored(ctx, config, backup)
}

// fill writes all rows of a backup. It fails unless the file is whole.
func fill(ctx context.Context, f *filling, backup *dump.Reader) error {
	var batch rowBatch
	var of dump.Table
	flush := func() error {
		defer batch.reset()
		if len(batch.rows) == 0 {
			return nil
		}
		return f.insert(ctx, of, batch.rows)
	}
	for {
		table, row, err := backup.Next()
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return err
		}
		if table.Name != of.Name {
			if err := flush(); err != nil {
				return err
			}
			of = table
		}
		if batch.add(row) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// checkRestored reads the database and compares it with the backup.
func checkRestored(ctx context.Context, config Config, backup *dump.Reader) error {
	restored, err := OpenSnapshot(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = restored.Close() }()
	digests, err := restored.Digests(ctx)
	if err != nil {
		return err
	}
	wanted, counts := backup.Digests(), backup.Counts()
	for _, table := range slices.Sorted(maps.Keys(wanted)) {
		digest := digests[table]
		if digest.Rows != counts[table] || digest.String() != wanted[table] {
			return fmt.Errorf("what was written to %s is not what the backup has (%d of %d rows)", table, digest.Rows, counts[table])
		}
	}
	found, err := restored.Orphans(ctx)
	if err != nil {
		return err
	}
	for _, what := range slices.Sorted(maps.Keys(found)) {
		return fmt.Errorf("the backup has %d %s", found[what], what)
	}
	return restored.Integrity(ctx)
}

// FinishRestore lets servers take the database.
func (s *Store) FinishRestore(ctx context.Context) error {
	return s.fact(ctx, func(tx *tx) error {
		_, err := tx.exec(`DELETE FROM meta WHERE name = $1`, unfinishedNote)
		return err
	})
}

// StepOver makes what is restored come after all that was before: every link
// session is over, since nobody knows which have ended since the backup, and the
// numbers of sessions, connections and their events jump, so that none is given
// twice. It returns how many sessions were open.
func (s *Store) StepOver(ctx context.Context, now time.Time) (int64, error) {
	var ended int64
	err := s.fact(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE connections SET version = version + $1, event_sequence = event_sequence + $1`, int64(afterRestore))
		if err != nil {
			return err
		}
		ended, err = tx.exec(`UPDATE link_sessions SET expires_at = $1, lease_until = 0, version = version + $2
			WHERE expires_at > $1`, micros(now), int64(afterRestore))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("step over what was before: %w", err)
	}
	return ended, nil
}

// LiftConnection lets a connection of an older version have the version with
// which it ended, to be ended again.
func (s *Store) LiftConnection(ctx context.Context, id string, version int64) error {
	err := s.fact(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE connections SET version = $2 WHERE id = $1 AND version < $2`, id, version)
		return err
	})
	if err != nil {
		return fmt.Errorf("lift connection %s: %w", id, err)
	}
	return nil
}
