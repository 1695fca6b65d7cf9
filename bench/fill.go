package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // PostgreSQL
	_ "modernc.org/sqlite"             // SQLite
)

// How much is in a database beside its sessions and connections when it is
// large, and how many rows one transaction writes.
const (
	largeApps     = 10_000
	largePending  = 1_000_000
	rowsAtOnce    = 50_000
	neverDue      = "9223372036854775807"
	fillingBehind = "86400000000.0" // microseconds: when the rows were made, until now
)

// filler writes rows into a database that nobody serves, far faster than they
// could be made in the product's own way: each is a copy of one that was, with
// other names.
type filler struct {
	db       *sql.DB
	postgres bool
}

// openFiller opens the database of a target. It is not durable: it is thrown away.
func openFiller(settings latchkeySettings) (*filler, error) {
	driver, source := "sqlite", "file:"+filepath.Join(settings.Data, "latchkey.db")+
		"?_pragma=journal_mode(wal)&_pragma=synchronous(0)&_pragma=cache_size(-2000000)&_pragma=busy_timeout(10000)"
	if settings.DatabaseURL != "" {
		driver, source = "pgx", settings.DatabaseURL
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, fmt.Errorf("open the database to fill it: %w", err)
	}
	db.SetMaxOpenConns(1)
	return &filler{db, settings.DatabaseURL != ""}, nil
}

// grow makes so many sessions and connections, and what else a large
// installation has: client apps, and deliveries that wait for an endpoint which
// is disabled.
func (f *filler) grow(ctx context.Context, rows int) error {
	// As the product's, names sort by time: eight letters, which are less than now's, and what is random.
	random, early := "lower(hex(randomblob(22)))", "printf('0%07d', n)"
	if f.postgres {
		random, early = "md5(random()::text || n) || md5(random()::text || n)", "'0' || lpad(n::text, 7, '0')"
		if _, err := f.db.ExecContext(ctx, "SET synchronous_commit = off"); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	name := early + " || substr(" + random + ", 1, 14)"
	now := fmt.Sprint(time.Now().UnixMicro())
	made := "CAST(" + now + " - ((" + fmt.Sprint(rows) + " - n) * " + fillingBehind + " / " + fmt.Sprint(rows) + ") AS BIGINT)"
	later := fmt.Sprint(time.Now().Add(30 * 24 * time.Hour).UnixMicro())
	err := errors.Join(
		f.copies(ctx, "link_sessions", "state = 'completed'", rows, map[string]string{
			"id": "'ls_' || " + name, "secret_hash": early + " || substr(" + random + ", 1, 43)", "created_at": made, "updated_at": made,
		}),
		f.copies(ctx, "connections", "status = 'active'", rows, map[string]string{
			"id": "'conn_' || " + name, "upstream_id": "substr(" + random + ", 1, 32)", "client_reference_id": "'user-' || n", "created_at": made, "updated_at": made,
			"check_due_at": later + " + n",
		}),
		f.copies(ctx, "client_apps", "TRUE", min(rows, largeApps), map[string]string{"id": "'app_' || " + name, "domain": "n || '.example'", "registrable": "n || '.example'"}),
		f.pend(ctx, min(rows, largePending), now),
	)
	if err != nil {
		return err
	}
	settle := "PRAGMA wal_checkpoint(TRUNCATE)"
	if f.postgres { // as the server itself does before long
		settle = "VACUUM (ANALYZE, FREEZE)"
	}
	if _, err := f.db.ExecContext(ctx, settle); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	return nil
}

// overdue makes so many sessions that nobody opened and whose time is over, so that the
// server has to expire them while it is measured.
func (f *filler) overdue(ctx context.Context, rows int) error {
	past := fmt.Sprint(time.Now().Add(-time.Hour).UnixMicro())
	name := "'overdue' || n"
	return f.copies(ctx, "link_sessions", "state = 'completed'", rows, map[string]string{
		"id": "'ls_' || " + name, "secret_hash": name, "state": "'pre-login'", "status": "''", "flow": "NULL",
		"created_at": past, "updated_at": past, "expires_at": past + " + n",
	})
}

// countOverdue returns how many of those are left.
func (f *filler) countOverdue(ctx context.Context) (left int, err error) {
	err = f.db.QueryRowContext(ctx, "SELECT count(*) FROM link_sessions WHERE state NOT IN ('completed', 'denied', 'failed', 'expired') AND expires_at <= "+
		fmt.Sprint(time.Now().UnixMicro())).Scan(&left)
	return left, err
}

// copies writes copies of a row that fits, with other values in some columns. In
// those, n is the number of the copy.
func (f *filler) copies(ctx context.Context, table, fits string, count int, others map[string]string) error {
	columns, err := f.columns(ctx, table)
	if err != nil {
		return err
	}
	values := make([]string, len(columns))
	for i, column := range columns {
		values[i] = "kept." + column
		if other, ok := others[column]; ok {
			values[i] = other
		}
	}
	for _, column := range slices.Collect(maps.Keys(others)) {
		if !slices.Contains(columns, column) {
			return fmt.Errorf("fill %s: it has no column %s", table, column)
		}
	}
	var kept string
	if err := f.db.QueryRowContext(ctx, "SELECT id FROM "+table+" WHERE "+fits+" LIMIT 1").Scan(&kept); err != nil {
		return fmt.Errorf("fill %s: nothing to copy: %w", table, err)
	}
	return f.withoutIndexes(ctx, table, func() error {
		return f.series(ctx, count, func(numbers string) string {
			return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") SELECT " + strings.Join(values, ", ") +
				" FROM (SELECT * FROM " + table + " WHERE id = '" + kept + "') kept, " + numbers
		})
	})
}

// withoutIndexes writes to a table whose indexes are made when all is in it.
func (f *filler) withoutIndexes(ctx context.Context, table string, write func() error) error {
	list := "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL"
	if f.postgres {
		list = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 AND indexname NOT IN (SELECT conname FROM pg_constraint)"
	}
	rows, err := f.db.QueryContext(ctx, list, table)
	if err != nil {
		return fmt.Errorf("look at the indexes of %s: %w", table, err)
	}
	indexes := map[string]string{} // what makes them, by name
	for rows.Next() {
		var name, definition string
		err = errors.Join(err, rows.Scan(&name, &definition))
		indexes[name] = definition
	}
	if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("look at the indexes of %s: %w", table, err)
	}
	run := func(statement string) {
		if err == nil {
			_, err = f.db.ExecContext(ctx, statement)
		}
	}
	for name := range indexes {
		run("DROP INDEX " + name)
	}
	if err == nil {
		err = write()
	}
	for _, definition := range indexes {
		run(definition)
	}
	if err != nil {
		return fmt.Errorf("fill %s: %w", table, err)
	}
	return nil
}

// pend makes deliveries that wait since now, each about a subject of its own.
func (f *filler) pend(ctx context.Context, count int, now string) error {
	const endpoint = "SELECT organisation_id, environment FROM link_sessions LIMIT 1"
	for _, statement := range []string{
		`INSERT INTO webhook_endpoints (id, organisation_id, environment, url, events, description, status, sealed_secret, created_at)
			SELECT 'we_pending', organisation_id, environment, 'https://shop.example/', ',*,', '', 'disabled', 'sealed', 0 FROM (` + endpoint + `) owner`,
	} {
		if _, err := f.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("fill the endpoint: %w", err)
		}
	}
	for _, insert := range []string{
		`INSERT INTO events (id, organisation_id, environment, type, subject, sequence, body, created_at)
			SELECT 'evt_pending_' || n, organisation_id, environment, 'connection.created', 'conn_pending_' || n, 1, '{}', ` + now + ` FROM (` + endpoint + `) owner, `,
		`INSERT INTO deliveries (endpoint_id, subject, sequence, event_id, state, attempts, last_status, excerpt, updated_at, queued_at)
			SELECT 'we_pending', 'conn_pending_' || n, 1, 'evt_pending_' || n, 'pending', 0, 0, '', ` + now + `, ` + now + ` FROM `,
		`INSERT INTO delivery_heads (endpoint_id, subject, sequence, event_id, attempt, due_at, fence)
			SELECT 'we_pending', 'conn_pending_' || n, 1, 'evt_pending_' || n, 0, ` + neverDue + `, 0 FROM `,
	} {
		if err := f.series(ctx, count, func(numbers string) string { return insert + numbers }); err != nil {
			return err
		}
	}
	return nil
}

// series runs a statement for the numbers below count, some thousand at a time.
func (f *filler) series(ctx context.Context, count int, statement func(numbers string) string) error {
	for first := 0; first < count; first += rowsAtOnce {
		last := min(first+rowsAtOnce, count) - 1
		numbers := fmt.Sprintf("(SELECT generate_series(%d, %d) AS n) numbers", first, last)
		if !f.postgres {
			numbers = fmt.Sprintf("(WITH RECURSIVE series (n) AS (SELECT %d UNION ALL SELECT n + 1 FROM series WHERE n < %d) SELECT n FROM series) numbers", first, last)
		}
		if _, err := f.db.ExecContext(ctx, statement(numbers)); err != nil {
			return fmt.Errorf("fill from row %d on: %w", first, err)
		}
	}
	return nil
}

// columns lists the columns of a table.
func (f *filler) columns(ctx context.Context, table string) (columns []string, err error) {
	rows, err := f.db.QueryContext(ctx, "SELECT * FROM "+table+" LIMIT 0")
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", table, err)
	}
	defer func() { err = errors.Join(err, rows.Close(), rows.Err()) }()
	if columns, err = rows.Columns(); err != nil {
		return nil, fmt.Errorf("look at %s: %w", table, err)
	}
	return columns, nil
}
