package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"latchkey/internal/store/dump"
	"latchkey/internal/store/migrations"
)

// Snapshot is a database as it is at one moment, for reading alone, while
// others go on writing. It neither makes nor migrates anything.
type Snapshot struct {
	db       *sql.DB
	tx       *sql.Tx
	postgres bool
	header   dump.Header
	// reordered says that the numbers of events are not in the order of the log,
	// as happens on PostgreSQL: then they are numbered anew, after the last one.
	reordered bool
	lastEvent int64
}

// OpenSnapshot opens the database of the configuration. It fails if there is
// none, or one that this program does not know.
func OpenSnapshot(ctx context.Context, config Config) (*Snapshot, error) {
	s := &Snapshot{postgres: config.URL != ""}
	db, err := openPlain(config, "mode=rw&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	s.db = db
	options := &sql.TxOptions{}
	if s.postgres {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	if s.tx, err = s.db.BeginTx(ctx, options); err != nil {
		return nil, errors.Join(fmt.Errorf("begin to read: %w", err), s.db.Close())
	}
	if err := s.describe(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openPlain opens a database as it is, one connection only.
func openPlain(config Config, pragmas string) (*sql.DB, error) {
	if config.URL == "" {
		if strings.Contains(pragmas, "mode=rw&") {
			if _, err := os.Stat(config.Path); err != nil {
				return nil, fmt.Errorf("open the database: %w", err)
			}
		}
		escaped := (&url.URL{Path: config.Path}).EscapedPath()
		db, err := sql.Open("sqlite", "file:"+escaped+"?_pragma=busy_timeout(10000)&"+pragmas)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", config.Path, err)
		}
		db.SetMaxOpenConns(1)
		return db, nil
	}
	parsed, err := pgx.ParseConfig(config.URL)
	if err != nil {
		return nil, errors.New("the database's URL is not a PostgreSQL connection URL") // the cause may show the password
	}
	db := stdlib.OpenDB(*parsed)
	db.SetMaxOpenConns(1)
	return db, nil
}

// Close ends the reading.
func (s *Snapshot) Close() error {
	err := s.tx.Rollback()
	if errors.Is(err, sql.ErrTxDone) {
		err = nil
	}
	return errors.Join(err, s.db.Close())
}

// Header returns what the snapshot holds.
func (s *Snapshot) Header() dump.Header { return s.header }

func (s *Snapshot) catalogue() string {
	if s.postgres {
		return postgresCatalogue
	}
	return sqliteCatalogue
}

func (s *Snapshot) describe(ctx context.Context) error {
	err := s.tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`).
		Scan(&s.header.Schema)
	if err != nil {
		return fmt.Errorf("this is no database of Latchkey: %w", err)
	}
	s.header.MadeAt = time.Now().UTC().Truncate(time.Microsecond)
	if err := Knows(s.header.Schema); err != nil {
		return err
	}
	if s.header.Tables, err = describe(ctx, s.tx, s.catalogue()); err != nil {
		return err
	}
	for name, value := range map[string]*[]byte{"vault_proof": &s.header.Proof, "database_id": &s.header.Database} {
		err = s.tx.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, name).Scan(value)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	return s.count(ctx)
}

// count reads the last numbers that were given, and how events must be numbered.
func (s *Snapshot) count(ctx context.Context) error {
	s.header.Sequences = map[string]int64{}
	for table, column := range numbered {
		query, name := `SELECT seq FROM sqlite_sequence WHERE name = $1`, table
		if s.postgres {
			query, name = `SELECT COALESCE(last_value, 0) FROM pg_sequences
				WHERE schemaname = current_schema() AND sequencename = $1`, table+"_"+column+"_seq"
		}
		var last int64
		err := s.tx.QueryRowContext(ctx, query, name).Scan(&last)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read the last number of %s: %w", table, err)
		}
		s.header.Sequences[table] = last
	}
	s.lastEvent = s.header.Sequences["events"]
	if !s.postgres || s.header.Schema < 2 { // schema 2 brought transactions
		return nil
	}
	var events int64
	err := s.tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(BOOL_OR(before > position), FALSE)
		FROM (SELECT position, LAG(position) OVER (PARTITION BY organisation_id, environment
			ORDER BY transaction_id, position) AS before FROM events) AS ordered`).Scan(&events, &s.reordered)
	if err != nil {
		return fmt.Errorf("look at the order of events: %w", err)
	}
	if s.reordered {
		s.header.Sequences["events"] += events
	}
	return nil
}

// Knows refuses a schema that is newer than this program.
func Knows(schema int64) error {
	newest, err := newestMigration()
	if err != nil {
		return err
	}
	if schema > newest {
		return fmt.Errorf("it is at schema %d but this program knows only up to %d: run a newer Latchkey", schema, newest)
	}
	return nil
}

// newestMigration returns the number of the last migration of this program.
func newestMigration() (int64, error) {
	entries, err := migrations.SQLite.ReadDir("sqlite")
	if err != nil {
		return 0, fmt.Errorf("find migrations: %w", err)
	}
	var newest int64
	for _, entry := range entries {
		var number int64
		if _, err := fmt.Sscanf(entry.Name(), "%d_", &number); err != nil {
			return 0, fmt.Errorf("migration %s has no number: %w", entry.Name(), err)
		}
		newest = max(newest, number)
	}
	return newest, nil
}
