package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/store/dump"
)

// engines are the configurations of a new database of each kind.
func engines(t *testing.T) map[string]Config {
	return map[string]Config{
		"SQLite": {Path: filepath.Join(t.TempDir(), "latchkey.db")}, "PostgreSQL": {URL: pgtest.New(t)},
	}
}

// populated makes a database with so many rows in every table, of values that
// are awkward to copy.
func populated(t *testing.T, config Config, rows int) {
	t.Helper()
	opened, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := openPlain(config, "mode=rwc")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	l := &loader{db: db, postgres: config.URL != ""}
	if l.tables, err = describe(t.Context(), db, l.catalogue()); err != nil {
		t.Fatal(err)
	}
	err = l.within(t.Context(), func(f *filling) error {
		for _, table := range l.tables {
			var batch [][]any
			for n := range rows {
				batch = append(batch, awkward(table, n+1))
			}
			if err := f.insert(t.Context(), table, batch); err != nil {
				return err
			}
		}
		return f.number(t.Context(), map[string]int64{"events": 1000, "audit": int64(rows)})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// plain opens a database beside the store.
func plain(t *testing.T, config Config) *sql.DB {
	t.Helper()
	db, err := openPlain(config, "mode=rwc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// awkward makes a row whose references are right.
func awkward(table dump.Table, n int) []any {
	row := make([]any, len(table.Columns))
	for i, column := range table.Columns {
		switch column.Kind {
		case dump.Integer:
			row[i] = int64(n)
			if column.Name == "due_at" {
				row[i] = neverDue
			}
			if column.Name == "transaction_id" {
				row[i] = int64(0)
			}
		case dump.Boolean:
			row[i] = n%2 == 0
		case dump.Bytes:
			row[i] = []byte{0, 0xff, byte(n), '\n', 0x80}
			if slices.Contains([]string{"flow", "credential", "previous_credential"}, column.Name) && n%2 == 0 && table.Name != "revocations" {
				row[i] = nil
			}
		case dump.Text:
			row[i] = fmt.Sprintf("%s %d ' \" \\ é 日本 \u202e\n%s", column.Name, n, strings.Repeat("x", n%50))
		}
		switch column.Name {
		case "id":
			if column.Kind == dump.Text {
				row[i] = fmt.Sprintf("%s_%d", table.Name, n)
			}
		case "organisation_id":
			row[i] = fmt.Sprintf("organisations_%d", n)
		case "endpoint_id":
			row[i] = fmt.Sprintf("webhook_endpoints_%d", n)
		case "event_id":
			row[i] = fmt.Sprintf("events_%d", n)
		case "state":
			row[i] = "pending"
		}
	}
	return row
}

// seal and open stand for the vault's.
func seal(sum []byte) ([]byte, error) { return append([]byte("sealed "), sum...), nil }

func openSeal(sum, sealed []byte) error {
	if !bytes.Equal(sealed, append([]byte("sealed "), sum...)) {
		return errors.New("the seal is another's")
	}
	return nil
}

// backedUp returns a backup of a database.
func backedUp(t *testing.T, config Config) []byte {
	t.Helper()
	snapshot, err := OpenSnapshot(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = snapshot.Close() }()
	var file bytes.Buffer
	if _, err := snapshot.Backup(t.Context(), &file, seal); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func restoreFrom(t *testing.T, config Config, file []byte) error {
	t.Helper()
	reader, err := dump.NewReader(bytes.NewReader(file), openSeal)
	if err != nil {
		return err
	}
	return Restore(t.Context(), config, reader)
}

// digestsOf reads a whole database.
func digestsOf(t *testing.T, config Config) map[string]dump.Digest {
	t.Helper()
	snapshot, err := OpenSnapshot(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = snapshot.Close() }()
	digests, err := snapshot.Digests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return digests
}

func TestTheListHasEveryTableOfTheSchema(t *testing.T) {
	described := map[string][]dump.Table{}
	for name, config := range engines(t) {
		opened, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		if err := opened.Close(); err != nil {
			t.Fatal(err)
		}
		snapshot, err := OpenSnapshot(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		described[name] = snapshot.Header().Tables
		_ = snapshot.Close()
		var names []string
		for _, table := range described[name] {
			names = append(names, table.Name)
		}
		if !slices.Equal(names, tables) {
			t.Errorf("%s has the tables %v", name, names)
		}
	}
	if !slices.EqualFunc(described["SQLite"], described["PostgreSQL"], equalTables) {
		t.Errorf("the engines differ:\n%v\n%v", described["SQLite"], described["PostgreSQL"])
	}
}

func TestATableThatIsNotOnTheListIsNotLeftBehind(t *testing.T) {
	for name, config := range engines(t) {
		populated(t, config, 1)
		if _, err := plain(t, config).ExecContext(t.Context(), `CREATE TABLE newcomers (id TEXT PRIMARY KEY)`); err != nil {
			t.Fatal(err)
		}
		_, err := OpenSnapshot(t.Context(), config)
		if err == nil || !strings.Contains(err.Error(), "newcomers") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABackupOfEitherEngineFillsEither(t *testing.T) {
	for from, source := range engines(t) {
		populated(t, source, 600)
		file := backedUp(t, source)
		want := digestsOf(t, source)
		for to, target := range engines(t) {
			t.Run(from+" to "+to, func(t *testing.T) {
				if err := restoreFrom(t, target, file); err != nil {
					t.Fatal(err)
				}
				for table, digest := range digestsOf(t, target) {
					if digest != want[table] || digest.Rows != 600 {
						t.Errorf("%s has %d rows, or other ones", table, digest.Rows)
					}
				}
				if _, err := Open(t.Context(), target); err == nil || !strings.Contains(err.Error(), "restore that was not finished") {
					t.Errorf("it could be served before it is finished: %v", err)
				}
				if err := restoreFrom(t, target, file); err != nil {
					t.Errorf("it can't be begun again: %v", err)
				}
				checkNumbers(t, target, 1000+afterRestore, 600+afterRestore)
			})
		}
	}
}

// checkNumbers wants the next rows to come after the numbers.
func checkNumbers(t *testing.T, config Config, lastEvent, lastRecord int64) {
	t.Helper()
	snapshot, err := OpenSnapshot(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	last := snapshot.Header().Sequences
	_ = snapshot.Close()
	if last["events"] != lastEvent || last["audit"] != lastRecord {
		t.Errorf("the last numbers are %v, want %d and %d", last, lastEvent, lastRecord)
	}
	var position int64
	err = plain(t, config).QueryRowContext(t.Context(), `INSERT INTO events (id, organisation_id, environment, type, subject,
		sequence, body, created_at) VALUES ('new', 'organisations_1', '', '', 'new', 1, 'x', 1) RETURNING position`).Scan(&position)
	if err != nil || position != lastEvent+1 {
		t.Errorf("the next event has number %d, %v", position, err)
	}
}

func TestARestoreGoesIntoAnEmptyDatabaseOnly(t *testing.T) {
	source := Config{Path: filepath.Join(t.TempDir(), "latchkey.db")}
	populated(t, source, 2)
	file := backedUp(t, source)
	for name, config := range engines(t) {
		populated(t, config, 1)
		before := digestsOf(t, config)
		if err := restoreFrom(t, config, file); !errors.Is(err, ErrNotEmpty) {
			t.Errorf("%s: %v", name, err)
		}
		for table, digest := range digestsOf(t, config) {
			if digest != before[table] {
				t.Errorf("%s: %s was changed", name, table)
			}
		}
	}
}

func TestABackupWithOrphansIsRefused(t *testing.T) {
	for name, config := range engines(t) {
		populated(t, config, 3)
		if _, err := plain(t, config).ExecContext(t.Context(), `DELETE FROM events WHERE id = 'events_2'`); err != nil {
			t.Fatal(err)
		}
		err := restoreFrom(t, Config{Path: filepath.Join(t.TempDir(), "new.db")}, backedUp(t, config))
		if err == nil || !strings.Contains(err.Error(), "wait for an event not there") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABackupShowsOneMomentWhileOthersWrite(t *testing.T) {
	for name, config := range engines(t) {
		populated(t, config, 50)
		snapshot, err := OpenSnapshot(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		want := digestsOf(t, config)
		writer := plain(t, config)
		for _, change := range []string{
			`UPDATE connections SET version = version + 1`, `DELETE FROM attempts`, `UPDATE meta SET value = 'other'`,
		} {
			if _, err := writer.ExecContext(context.Background(), change); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		seen, err := snapshot.Digests(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for table, digest := range seen {
			if digest != want[table] {
				t.Errorf("%s: %s is not as it was", name, table)
			}
		}
		_ = snapshot.Close()
	}
}
