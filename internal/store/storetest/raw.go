package storetest

import (
	"database/sql"
	"testing"
)

// Database is the database of a store, opened beside it to do or see what the
// store itself never would. A statement that fails is fatal to the test.
type Database struct {
	testing.TB
	db *sql.DB
}

// Raw opens PostgreSQL at the URL, or else the SQLite file at path.
func Raw(t testing.TB, url, path string) *Database {
	t.Helper()
	driver, source := "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)"
	if url != "" {
		driver, source = "pgx", url
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return &Database{t, db}
}

// Exec runs a statement and returns how many rows it changed.
func (d *Database) Exec(statement string, args ...any) int64 {
	d.Helper()
	result, err := d.db.ExecContext(d.Context(), statement, args...)
	if err != nil {
		d.Fatalf("%s: %v", statement, err)
	}
	changed, err := result.RowsAffected()
	if err != nil {
		d.Fatalf("%s: %v", statement, err)
	}
	return changed
}

// Each hands every row of a query to take, which scans it.
func (d *Database) Each(take func(scan func(into ...any) error) error, query string, args ...any) {
	d.Helper()
	rows, err := d.db.QueryContext(d.Context(), query, args...)
	if err != nil {
		d.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := take(rows.Scan); err != nil {
			d.Fatalf("%s: %v", query, err)
		}
	}
	if err := rows.Err(); err != nil {
		d.Fatalf("%s: %v", query, err)
	}
}

// Number returns the one whole number that a query answers.
func (d *Database) Number(query string, args ...any) (number int64) {
	d.Helper()
	if err := d.db.QueryRowContext(d.Context(), query, args...).Scan(&number); err != nil {
		d.Fatalf("%s: %v", query, err)
	}
	return number
}
