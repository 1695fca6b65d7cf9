package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// The dialects as goose names them.
const (
	sqliteDialect   = goose.DialectSQLite3
	postgresDialect = goose.DialectPostgres
)

// migrate brings the database to the newest schema. It refuses a database that
// is newer than this program, which could write what it does not understand.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, files embed.FS, folder string,
	options ...goose.ProviderOption,
) error {
	scripts, err := fs.Sub(files, folder)
	if err != nil {
		return fmt.Errorf("find migrations: %w", err)
	}
	options = append(options, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	provider, err := goose.NewProvider(dialect, db, scripts, options...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	current, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if current > newest {
		return fmt.Errorf("the database is at schema %d but this program knows only up to %d: run a newer Latchkey",
			current, newest)
	}
	return nil
}

// atLeast compares dotted version numbers.
func atLeast(version, oldest string) bool {
	have, want := strings.Split(version, "."), strings.Split(oldest, ".")
	for i := range want {
		if i >= len(have) {
			return false
		}
		h, errHave := strconv.Atoi(have[i])
		w, errWant := strconv.Atoi(want[i])
		if errHave != nil || errWant != nil || h < w {
			return false
		}
		if h > w {
			return true
		}
	}
	return true
}
