package store

import (
	"context"
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

// scrub has the writer empty the log between two groups of facts.
func (e *sqliteEngine) scrub(ctx context.Context) error {
	emptied := make(chan error, 1)
	select {
	case e.writer.scrubs <- emptied:
	case <-e.writer.done:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("scrub: %w", ctx.Err())
	}
	if err := <-emptied; err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	return nil
}
