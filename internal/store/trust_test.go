package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestVersionsAreComparedNumberByNumber(t *testing.T) {
	for _, each := range []struct {
		version string
		want    bool
	}{
		{"3.51.3", true}, {"3.51.10", true}, {"3.52.0", true}, {"3.100.0", true}, {"4.0.0", true}, {"3.51.3.1", true},
		{"3.51.2", false}, {"3.9.9", false}, {"3.50.99", false}, {"2.99.99", false},
		{"3.51", false}, {"", false}, {"three", false}, {"3.51.x", false},
	} {
		if got := atLeast(each.version, "3.51.3"); got != each.want {
			t.Errorf("%q is new enough: %v, want %v", each.version, got, each.want)
		}
	}
}

func TestSQLiteThatCouldLoseWhatItAcknowledgedIsRefused(t *testing.T) {
	wrong := map[string]string{
		"journal_mode": "delete", "synchronous": "1", "foreign_keys": "0", // SQLite's own defaults but for synchronous
	}
	refused := 0
	for setting, value := range wrong {
		t.Run(setting+"="+value, func(t *testing.T) {
			db := rawSQLite(t, filepath.Join(t.TempDir(), "latchkey.db"))
			if err := checkSQLite(t.Context(), db, oldestSQLite); err != nil {
				t.Fatalf("right settings are refused: %v", err)
			}
			if _, err := db.ExecContext(t.Context(), "PRAGMA "+setting+"="+value); err != nil {
				t.Fatal(err)
			}
			err := checkSQLite(t.Context(), db, oldestSQLite)
			if err == nil || !strings.Contains(err.Error(), setting+"="+value) {
				t.Fatalf("got %v", err)
			}
			refused++
		})
	}
	t.Run("an older library", func(t *testing.T) {
		err := checkSQLite(t.Context(), rawSQLite(t, filepath.Join(t.TempDir(), "latchkey.db")), "99.0.0")
		if err == nil || !strings.Contains(err.Error(), "is older than 99.0.0") {
			t.Fatalf("got %v", err)
		}
		fmt.Printf("RESULT D-12.older_library_refused 1 1\n")
	})
	fmt.Printf("RESULT D-12.wrong_settings_refused %d %d\n", refused, len(wrong))
}

// rawSQLite opens a file on one connection as the store does.
func rawSQLite(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", sqliteURL(path, ""))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// A pool makes connections when it pleases; each must sync and check keys.
func TestEveryConnectionHasTheSettingsThatWereChecked(t *testing.T) {
	e, _ := writerOf(t)
	settings := func(run querier) string {
		var journal string
		var synchronous, foreignKeys int
		err := errors.Join(
			run.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&journal),
			run.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&synchronous),
			run.QueryRowContext(t.Context(), "PRAGMA foreign_keys").Scan(&foreignKeys))
		return fmt.Sprintln(journal, synchronous, foreignKeys, err)
	}
	want := fmt.Sprintln("wal", 2, 1, nil)
	if got := settings(e.writer.conn); got != want {
		t.Errorf("the writer has %s", got)
	}
	for range 4 {
		reader, err := e.readers.db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = reader.Close() }()
		if got := settings(reader); got != want {
			t.Errorf("a reader has %s", got)
		}
		if _, err := reader.ExecContext(t.Context(), `DELETE FROM meta`); err == nil {
			t.Error("a reader writes")
		}
	}
}

// A limit of pages stands for the full disk: SQLite answers both with
// SQLITE_FULL.
func TestAFullDiskRefusesFactsAndKeepsTheOthers(t *testing.T) {
	e, path := writerOf(t)
	large := func(name string) func(*tx) error {
		return func(tx *tx) error {
			_, err := tx.exec(`INSERT INTO meta (name, value) VALUES ($1, zeroblob(100000))`, name)
			return err
		}
	}
	if err := e.write(t.Context(), large("before")); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		err := e.write(context.WithValue(t.Context(), urgentKey{}, true), func(tx *tx) error { // the writer's own
			_, err := tx.exec(fmt.Sprintf("PRAGMA max_page_count=%d", pages))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite takes what there is already
	errs := make([]error, 6)
	release := busy(t, e)
	answers := make(chan error, len(errs))
	for i := range errs {
		write := e.write
		if i%2 == 0 {
			write = e.writeOne
		}
		go func() { answers <- write(context.Background(), large(fmt.Sprint("full", i))) }()
	}
	queued(e, len(errs))
	release()
	for range errs {
		if err := <-answers; !errors.Is(err, ErrFull) || Refusal(err).RetryAfter == 0 {
			t.Errorf("a fact was answered with %v on a full disk", err)
		}
	}
	limit(1 << 20)
	within, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := e.write(within, large("after"))
	looks := time.NewTicker(10 * time.Millisecond) // the writer looks for room once a second
	defer looks.Stop()
	for ; errors.Is(err, ErrFull) && within.Err() == nil; err = e.write(within, large("after")) {
		<-looks.C
	}
	if err != nil {
		t.Errorf("with room again: %v", err)
	}
	if n := noted(t, e); n != 2 {
		t.Errorf("%d facts are there, want the one before and the one after", n)
	}
	if err := e.close(); err != nil {
		t.Fatal(err)
	}
	var verdict string
	err = rawSQLite(t, path).QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict)
	if err != nil || verdict != "ok" {
		t.Errorf("integrity check: %s, %v", verdict, err)
	}
}
