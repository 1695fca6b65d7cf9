package store

import (
	"context"
	"database/sql"
	"time"
)

// postgresReader asks the pool. A question that the way to the server lost is
// asked again: reading twice changes nothing.
type postgresReader struct{ db *sql.DB }

// QueryContext runs a query. The rows end with the caller's patience.
func (r *postgresReader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	var rows *sql.Rows
	bounded, cancel, spent := bounds(ctx)
	context.AfterFunc(bounded, cancel)
	err := again(bounded, func() error {
		var err error
		rows, err = r.db.QueryContext(bounded, query, args...)
		return err
	})
	spent()
	return rows, reported(ctx, err)
}

// QueryRowContext returns a row that is asked for when it is scanned.
func (r *postgresReader) QueryRowContext(ctx context.Context, query string, args ...any) scanner {
	return &postgresRow{db: r.db, ctx: ctx, query: query, args: args}
}

// postgresRow is a question for one row.
type postgresRow struct {
	db    *sql.DB
	ctx   context.Context
	query string
	args  []any
}

// Scan asks and reads the answer, or fails with sql.ErrNoRows.
func (r *postgresRow) Scan(into ...any) error {
	bounded, done := bound(r.ctx)
	defer done()
	return reported(r.ctx, again(bounded, func() error {
		return r.db.QueryRowContext(bounded, r.query, r.args...).Scan(into...)
	}))
}

// The pause between two tries while the server is out of reach.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// again runs try until the server was reached, or ctx ends. The error then is
// the last of them.
func again(ctx context.Context, try func() error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := try()
		if !isLost(err) && !isTransient(err) || !sleep(ctx, pause) {
			return err
		}
	}
}

// sleep waits, and reports whether ctx goes on.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
