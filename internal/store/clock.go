package store

import (
	"context"
	"fmt"
	"time"
)

// Now returns the time of day at the database server: what replicas that share
// it agree on. With SQLite that is this machine's.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	var now int64
	if err := s.read().QueryRowContext(ctx, s.engine.fragments().now).Scan(&now); err != nil {
		return time.Time{}, fmt.Errorf("ask the database for the time: %w", err)
	}
	return moment(now), nil
}
