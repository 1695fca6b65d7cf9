package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"latchkey/internal/store/migrations"
)

// oldestPostgres is the first major version that is tested.
const oldestPostgres = 140000

// While another replica migrates, this one looks once a second for up to ten
// minutes whether it is done.
const (
	lockEvery = 1 // seconds
	lockTries = 600
)

// connections is how many a pool has unless the operator says otherwise.
const connections = 32

// postgresEngine is a pool of connections to one PostgreSQL.
type postgresEngine struct {
	db      *sql.DB
	direct  *pgx.ConnConfig // to the server itself
	marks   *marks
	grouped *batches
}

func openPostgres(ctx context.Context, config Config) (engine, error) {
	pooled, err := parsePostgres(config.URL)
	if err != nil {
		return nil, errors.New("database_url is not a PostgreSQL connection URL") // the cause may show the password
	}
	direct := pooled
	if config.DirectURL != "" {
		if direct, err = parsePostgres(config.DirectURL); err != nil {
			return nil, errors.New("database_direct_url is not a PostgreSQL connection URL")
		}
		if !strings.Contains(config.URL, "default_query_exec_mode=") {
			pooled.DefaultQueryExecMode = pgx.QueryExecModeExec // a statement prepared on one server connection is not on the next
		}
	}
	if err := preparePostgres(ctx, direct); err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*pooled)
	db.SetMaxOpenConns(cmp.Or(config.Connections, connections))
	db.SetMaxIdleConns(cmp.Or(config.Connections, connections))
	db.SetConnMaxIdleTime(5 * time.Minute)
	if err := checkPostgres(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	engine := &postgresEngine{db: db, direct: direct, marks: newMarks()}
	if err := engine.adoptEvents(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	engine.grouped = startBatches(engine)
	return engine, nil
}

// connectTime is how long one of the hosts of a URL gets to take a connection,
// unless the URL says otherwise: while the pool waits for one that is away,
// others that are there are not used.
const connectTime = 2 * time.Second

func parsePostgres(url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTime
		for _, fallback := range config.Fallbacks {
			if fallback.Host != config.Host {
				config.ConnectTimeout = connectTime / 2
			}
		}
	}
	return config, nil
}

// preparePostgres checks and migrates the database, past any pooler: the lock
// that makes replicas take turns belongs to one session.
func preparePostgres(ctx context.Context, config *pgx.ConnConfig) error {
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	if err := checkPostgres(ctx, db); err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockEvery, lockTries))
	if err != nil {
		return fmt.Errorf("make the migration lock: %w", err)
	}
	return migrate(ctx, db, postgresDialect, migrations.Postgres, "postgres", goose.WithSessionLocker(locker))
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

func (e *postgresEngine) reader() reader        { return &postgresReader{e.db} }
func (e *postgresEngine) fragments() *fragments { return &postgresFragments }
func (e *postgresEngine) batches() *batches     { return e.grouped }

func (e *postgresEngine) finishes() *batch[*finishedDelivery] { return e.grouped.deliveriesFinished }

// postgresFragments are PostgreSQL's. A snapshot's xmin is the oldest
// transaction that is still open: all below have ended (PostgreSQL manual,
// section 9.27, "Transaction ID and Snapshot Information Functions").
var postgresFragments = fragments{
	skipLocked: " FOR UPDATE SKIP LOCKED",
	skipHeads:  " FOR UPDATE OF h SKIP LOCKED",
	shareLock:  " FOR SHARE",
	shareOfW:   " FOR SHARE OF w",
	after:      "(transaction_id, position) > ($3, $4)",
	until:      "(transaction_id, position) <= ($6, $7)",
	settled:    " AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
	listed:     "(SELECT unnest(string_to_array($%d, ',')))",
	heads: `ctid = ANY (ARRAY(SELECT k.at FROM unnest(string_to_array($3, ',')) AS u (subject)
		CROSS JOIN LATERAL (SELECT h.ctid AS at FROM delivery_heads h
			WHERE h.endpoint_id = $1 AND h.subject = u.subject LIMIT 1) AS k))`,
	byIndexes: "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)",
	now:       "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
}

func (e *postgresEngine) ping(ctx context.Context) error {
	var one int
	return e.reader().QueryRowContext(ctx, "SELECT 1").Scan(&one) // a pooler would answer a mere ping itself
}

func (e *postgresEngine) close() error {
	e.grouped.stop()
	return e.db.Close()
}
