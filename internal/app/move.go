package app

import (
	"context"

	"latchkey/internal/store"
)

// MoveDatabase copies a database into another, each a URL of PostgreSQL, a
// SQLite file or a data folder. It returns how many rows there are of each
// table. The vault's key is as good for the one as for the other.
func MoveDatabase(ctx context.Context, from, to string, tell func(table string, rows int64)) (map[string]int64, error) {
	return store.Move(ctx, placeOf(from), placeOf(to), tell)
}

// AbandonMove lets a database take changes again whose move was begun and not
// finished.
func AbandonMove(ctx context.Context, from string) error { return store.Thaw(ctx, placeOf(from)) }
