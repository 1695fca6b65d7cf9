package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"latchkey/internal/store/migrations"
)

// oldestPostgres is the first major version that is tested.
const oldestPostgres = 140000

// retries bounds how often a transaction is tried again after a deadlock or a
// serialisation failure.
const retries = 8

// While another replica migrates, this one looks once a second for up to ten
// minutes whether it is done.
const (
	lockEvery = 1 // seconds
	lockTries = 600
)

// SQLSTATE codes, from the PostgreSQL manual, appendix A.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// postgresEngine is a pool of connections to one PostgreSQL.
type postgresEngine struct {
	db      *sql.DB
	grouped *batches
}

func openPostgres(ctx context.Context, url string) (engine, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("database_url is not a PostgreSQL connection URL") // the cause may show the password
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(32)
	db.SetConnMaxIdleTime(5 * time.Minute)
	if err := checkPostgres(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockEvery, lockTries))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the migration lock: %w", err), db.Close())
	}
	err = migrate(ctx, db, postgresDialect, migrations.Postgres, "postgres", goose.WithSessionLocker(locker))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := adoptEvents(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &postgresEngine{db: db, grouped: startBatches(db)}, nil
}

// checkPostgres refuses a server that could lose what it acknowledged.
func checkPostgres(ctx context.Context, db *sql.DB) error {
	var version int
	var fsync, synchronous, fullPages string
	row := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('fsync'),
		current_setting('synchronous_commit'), current_setting('full_page_writes')`)
	if err := row.Scan(&version, &fsync, &synchronous, &fullPages); err != nil {
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	if version < oldestPostgres {
		return fmt.Errorf("PostgreSQL %d is older than %d, which it must be at least", version/10000, oldestPostgres/10000)
	}
	if fsync != "on" || synchronous == "off" || fullPages != "on" {
		return fmt.Errorf("PostgreSQL settings are fsync=%s synchronous_commit=%s full_page_writes=%s: "+
			"it could lose what it acknowledged", fsync, synchronous, fullPages)
	}
	return nil
}

func (e *postgresEngine) write(ctx context.Context, fact func(tx *tx) error) error {
	var err error
	for attempt := range retries {
		if err = e.tryWrite(ctx, fact); !isTransient(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(attempt+1) * 5 * time.Millisecond):
		}
	}
	return err
}

func (e *postgresEngine) writeOne(ctx context.Context, fact func(tx *tx) error) error {
	return e.write(ctx, fact)
}

func (e *postgresEngine) tryWrite(ctx context.Context, fact func(tx *tx) error) error {
	transaction, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = transaction.Rollback() }()
	if err := fact(&tx{ctx: ctx, run: transaction, fragments: &postgresFragments}); err != nil {
		return err
	}
	if err := transaction.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// isTransient reports whether the same transaction may succeed when tried
// again.
func isTransient(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (failure.Code == serializationFailure || failure.Code == deadlockDetected)
}

func (e *postgresEngine) reader() querier       { return e.db }
func (e *postgresEngine) fragments() *fragments { return &postgresFragments }
func (e *postgresEngine) batches() *batches     { return e.grouped }

// postgresFragments are PostgreSQL's. A snapshot's xmin is the oldest
// transaction that is still open: all below have ended (PostgreSQL manual,
// section 9.27, "Transaction ID and Snapshot Information Functions").
var postgresFragments = fragments{
	skipLocked: " FOR UPDATE SKIP LOCKED",
	shareLock:  " FOR SHARE",
	after:      "(transaction_id, position) > ($3, $4)",
	settled:    " AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
	now:        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
	listed:     "(SELECT unnest(string_to_array($3, ',')))",
}

func (e *postgresEngine) ping(ctx context.Context) error { return e.db.PingContext(ctx) }

func (e *postgresEngine) close() error {
	e.grouped.stop()
	return e.db.Close()
}
