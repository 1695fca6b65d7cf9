package storetest

import (
	"database/sql"
	"testing"

	"latchkey/internal/store"
)

// Raw opens the database of a store beside it, to do or see what the store
// itself never would.
func Raw(t testing.TB, config store.Config) *sql.DB {
	t.Helper()
	driver, source := "sqlite", "file:"+config.Path+"?_pragma=busy_timeout(10000)"
	if config.URL != "" {
		driver, source = "pgx", config.URL
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
