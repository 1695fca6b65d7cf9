package soaktest

import (
	"database/sql"
	"testing"

	_ "modernc.org/sqlite"
)

// checkIntegrity asks SQLite itself and reports whether all is well.
func checkIntegrity(t testing.TB, path string) bool {
	t.Helper()
	database, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = database.Close() }()
	var answer string
	if err := database.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("integrity check: %s, %v", answer, err)
		return false
	}
	return true
}
