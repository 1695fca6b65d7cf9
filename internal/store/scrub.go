package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Scrub takes what was erased out of SQLite's write-ahead log, by copying the
// log into the database, where deleted bytes are zeros, and emptying it. While
// readers or another process keep it from that it does what it can: the next
// turn does the rest. PostgreSQL recycles its log by itself.
func (s *Store) Scrub(ctx context.Context) error {
	if engine, ok := s.engine.(*sqliteEngine); ok {
		return engine.scrub(ctx)
	}
	return nil
}

// scrub uses a connection of its own: the writer's is in a transaction most of
// the time. It waits for others for two seconds at most, and they for it.
func (e *sqliteEngine) scrub(ctx context.Context) error {
	other, err := sql.Open("sqlite", sqliteURL(e.path, "_pragma=busy_timeout(2000)"))
	if err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	defer func() { _ = other.Close() }()
	var busy, log, copied int64
	if err := other.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &copied); err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	return nil
}
