package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"

	"latchkey/internal/store/dump"
	"latchkey/internal/store/migrations"
)

// ErrNotEmpty says that there is something where a copy was to go.
var ErrNotEmpty = errors.New("the target database is not empty: " +
	"a copy is only made into a new one; move the old one away first, or name another")

// loader fills a new database with the rows of another.
type loader struct {
	db       *sql.DB
	postgres bool
	tables   []dump.Table
}

// openLoader opens the target, which it makes if it is a file, and gives it the
// schema of the source. What names the kind of copy; a target that another copy
// has begun to fill is not empty. Whether this one had begun is answered.
func openLoader(ctx context.Context, config Config, pragmas string, source dump.Header, what string) (*loader, bool, error) {
	l := &loader{postgres: config.URL != ""}
	if !l.postgres {
		if err := makePrivateFile(config.Path); err != nil {
			return nil, false, err
		}
	}
	db, err := openPlain(config, pragmas)
	if err != nil {
		return nil, false, err
	}
	l.db = db
	begun, err := l.prepare(ctx, source, what)
	if err != nil {
		return nil, false, errors.Join(err, db.Close())
	}
	return l, begun, nil
}

func (l *loader) prepare(ctx context.Context, source dump.Header, what string) (bool, error) {
	if l.postgres {
		if err := checkPostgres(ctx, l.db); err != nil {
			return false, err
		}
	}
	if err := l.migrate(ctx, source.Schema); err != nil {
		return false, err
	}
	var err error
	if l.tables, err = describe(ctx, l.db, l.catalogue()); err != nil {
		return false, err
	}
	if !slices.EqualFunc(l.tables, source.Tables, equalTables) {
		return false, fmt.Errorf("the tables at schema %d are not those that this program makes", source.Schema)
	}
	var note []byte
	err = l.db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, unfinishedNote).Scan(&note)
	switch {
	case err == nil && string(note) == what:
		return true, nil
	case err == nil:
		return false, ErrNotEmpty
	case !errors.Is(err, sql.ErrNoRows):
		return false, fmt.Errorf("look at the target: %w", err)
	}
	for _, table := range l.tables {
		var filled bool
		if err := l.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+table.Name+`)`).Scan(&filled); err != nil {
			return false, fmt.Errorf("look at the target: %w", err)
		}
		if filled {
			return false, ErrNotEmpty
		}
	}
	return false, nil
}

func equalTables(one, other dump.Table) bool {
	return one.Name == other.Name && slices.Equal(one.Columns, other.Columns) && slices.Equal(one.Key, other.Key)
}

func (l *loader) catalogue() string {
	if l.postgres {
		return postgresCatalogue
	}
	return sqliteCatalogue
}

// migrate gives the target the schema of a number.
func (l *loader) migrate(ctx context.Context, schema int64) error {
	dialect, folder, files := sqliteDialect, "sqlite", migrations.SQLite
	if l.postgres {
		dialect, folder, files = postgresDialect, "postgres", migrations.Postgres
	}
	scripts, err := fs.Sub(files, folder)
	if err != nil {
		return fmt.Errorf("find migrations: %w", err)
	}
	provider, err := goose.NewProvider(dialect, l.db, scripts, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.UpTo(ctx, schema); err != nil {
		return fmt.Errorf("make the schema %d: %w", schema, err)
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if current > schema {
		return fmt.Errorf("%w (it has schema %d, and the source %d)", ErrNotEmpty, current, schema)
	}
	if current < schema {
		return fmt.Errorf("the source is at schema %d but this program knows only up to %d: run a newer Latchkey", schema, current)
	}
	return nil
}

// close ends the filling.
func (l *loader) close() error { return l.db.Close() }

// within runs a step in one transaction.
func (l *loader) within(ctx context.Context, step func(f *filling) error) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := step(&filling{tx: tx, postgres: l.postgres, prepared: map[string]*sql.Stmt{}}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
