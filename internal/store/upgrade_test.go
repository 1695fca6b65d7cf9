package store

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/store/migrations"
)

// connectionOfTheReleaseBefore is written by a program that knows nothing of
// what came with migration 3.
const connectionOfTheReleaseBefore = `INSERT INTO connections (id, organisation_id, environment, client_app_id, provider,
	upstream_id, client_reference_id, status, detail, imported, credential, credential_expires_at, refresh_lease_until,
	version, event_sequence, expiry_reason, expired_at, last_checked_at, created_at, updated_at)
	VALUES ($1, 'org_1', 'sandbox', 'app_1', 'sandbox', $1, '', 'active', '{}', FALSE, 'sealed', 0, 0, 1, 1, '', 0, 0, 1, 1)`

func TestConnectionsOfTheReleaseBeforeAreLookedAfter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latchkey.db")
	address := pgtest.New(t)
	for name, c := range map[string]struct {
		driver, source string
		dialect        goose.Dialect
		files          fs.FS
		config         Config
	}{
		"SQLite":     {"sqlite", sqliteURL(path, "_txlock=immediate"), sqliteDialect, sub(t, migrations.SQLite, "sqlite"), Config{Path: path}},
		"PostgreSQL": {"pgx", address, postgresDialect, sub(t, migrations.Postgres, "postgres"), Config{URL: address}},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := sql.Open(c.driver, c.source)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = before.Close() }()
			provider, err := goose.NewProvider(c.dialect, before, c.files)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := provider.UpTo(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
			write := func(id string) {
				t.Helper()
				if _, err := before.ExecContext(t.Context(), connectionOfTheReleaseBefore, id); err != nil {
					t.Fatal(err)
				}
			}
			write("conn_1")
			opened, err := Open(t.Context(), c.config)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = opened.Close() }()
			write("conn_2") // it runs beside the new one
			due, err := opened.ClaimChecks(t.Context(), "sandbox", time.Now(), 10, time.Minute)
			if err != nil || len(due) != 2 {
				t.Errorf("%d of them are due, %v", len(due), err)
			}
		})
	}
}

func sub(t *testing.T, files fs.FS, folder string) fs.FS {
	t.Helper()
	scripts, err := fs.Sub(files, folder)
	if err != nil {
		t.Fatal(err)
	}
	return scripts
}
