package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	_ "modernc.org/sqlite" // registers the driver

	"latchkey/internal/store/migrations"
)

// oldestSQLite is the first version without the WAL-reset corruption.
const oldestSQLite = "3.51.3"

// sqliteEngine is one writer and a pool of readers on one file.
type sqliteEngine struct {
	path    string
	writer  *sqliteWriter
	readers *preparedDB
	main    *sql.DB
	ended   *batch[*finishedDelivery]
}

// writerCache is the room that the writer has for pages, 32 MiB in the place of the
// readers' 8: the inner pages of the indexes of some ten million rows.
const writerCache = "_pragma=cache_size(-32768)"

// openSQLite opens or makes the file at path and migrates it.
func openSQLite(ctx context.Context, config Config) (engine, error) {
	config = config.complete()
	path := config.Path
	if err := makePrivateFile(path); err != nil {
		return nil, err
	}
	if err := checkMark(path); err != nil {
		return nil, err
	}
	proved, err := takeSum(path)
	if err != nil {
		return nil, err
	}
	main, err := sql.Open("sqlite", sqliteURL(path, "_txlock=immediate&"+writerCache))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	main.SetMaxOpenConns(1)
	if err = checkSQLite(ctx, main, oldestSQLite); err == nil && !proved {
		err = checkStructure(ctx, main, path)
	}
	if err != nil {
		_ = main.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := migrateSQLite(ctx, main, path); err != nil {
		_ = main.Close()
		return nil, err
	}
	readers, err := sql.Open("sqlite", sqliteURL(path, "_pragma=query_only(1)"))
	if err != nil {
		_ = main.Close()
		return nil, fmt.Errorf("open %s for reading: %w", path, err)
	}
	pool := max(4, 2*runtime.GOMAXPROCS(0))
	readers.SetMaxOpenConns(pool)
	readers.SetMaxIdleConns(pool)
	readers.SetConnMaxIdleTime(restAfter) // each has a cache of its own
	copies, err := sql.Open("sqlite", sqliteURL(path, "_pragma=query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s for copying the log: %w", path, err), readers.Close(), main.Close())
	}
	copies.SetMaxOpenConns(1)
	copies.SetConnMaxIdleTime(restAfter)
	room := newReserve(filepath.Join(filepath.Dir(path), filepath.Base(path)+".reserve"), config.Log)
	writer, err := startSQLiteWriter(ctx, main, copies, path, room, config.Failed)
	if err != nil {
		return nil, errors.Join(err, copies.Close(), readers.Close(), main.Close())
	}
	return &sqliteEngine{
		path: path, writer: writer, readers: newPreparedDB(readers), main: main, ended: startFinishes(writer),
	}, nil
}

// sqliteURL adds what every connection needs: a write-ahead log, an fsync at
// every commit, foreign keys, patience with other processes, zeros over what is
// deleted. The store itself sees to it that the log is copied back.
func sqliteURL(path, extra string) string {
	escaped := (&url.URL{Path: path}).EscapedPath()
	return "file:" + escaped + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)&_pragma=wal_autocheckpoint(0)" +
		"&_pragma=cache_size(-8192)&_pragma=temp_store(MEMORY)&" + extra
}

// makePrivateFile makes the file with mode 0600 whatever the umask; SQLite
// gives its -wal and -shm files the same mode.
func makePrivateFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the database file: %w", err)
	}
	return file.Close()
}

// checkSQLite refuses a library or a setting that could lose what was
// acknowledged.
func checkSQLite(ctx context.Context, db *sql.DB, oldest string) error {
	var version, journal string
	var synchronous, foreignKeys int
	for query, into := range map[string]any{
		"SELECT sqlite_version()": &version, "PRAGMA journal_mode": &journal,
		"PRAGMA synchronous": &synchronous, "PRAGMA foreign_keys": &foreignKeys,
	} {
		if err := db.QueryRowContext(ctx, query).Scan(into); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
	}
	if !atLeast(version, oldest) {
		return fmt.Errorf("SQLite %s is older than %s, which it must be at least", version, oldest)
	}
	if journal != "wal" || synchronous != 2 || foreignKeys != 1 {
		return fmt.Errorf("SQLite settings are journal_mode=%s synchronous=%d foreign_keys=%d, must be wal, 2, 1",
			journal, synchronous, foreignKeys)
	}
	return nil
}

// migrateSQLite runs the migrations while holding an immediate transaction on
// a database of its own beside the file, so that two processes take turns.
func migrateSQLite(ctx context.Context, main *sql.DB, path string) error {
	lock, err := sql.Open("sqlite", sqliteURL(path+".migrate-lock", "_txlock=immediate"))
	if err != nil {
		return fmt.Errorf("open the migration lock: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if err := makePrivateFile(path + ".migrate-lock"); err != nil {
		return err
	}
	held, err := lock.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("take the migration lock: %w", err)
	}
	defer func() { _ = held.Rollback() }()
	return migrate(ctx, main, sqliteDialect, migrations.SQLite, "sqlite")
}

func (e *sqliteEngine) write(ctx context.Context, fact func(tx *tx) error) error {
	return e.writer.write(&waitingFact{ctx: ctx, run: fact, urgent: isUrgent(ctx)})
}

func (e *sqliteEngine) writeOne(ctx context.Context, fact func(tx *tx) error) error {
	return e.writer.write(&waitingFact{ctx: ctx, run: fact, urgent: isUrgent(ctx), single: true})
}

func (e *sqliteEngine) reader() reader        { return plainReader{e.readers} }
func (e *sqliteEngine) fragments() *fragments { return &sqliteFragments }
func (e *sqliteEngine) batches() *batches     { return nil }

func (e *sqliteEngine) finishes() *batch[*finishedDelivery] { return e.ended }

const sqliteListed = `(SELECT value FROM json_each('["' || replace($%d, ',', '","') || '"]'))`

// sqliteFragments are SQLite's: its one writer needs no locks and leaves no
// gaps. All its events have the transaction 0, and it uses an index for such a
// comparison of two columns only when the first is given.
var sqliteFragments = fragments{
	now:    "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000", // to the millisecond
	after:  "transaction_id = MAX($3, 0) AND position > $4",
	until:  "transaction_id <= $6 AND position <= $7",
	listed: sqliteListed,
	heads:  "endpoint_id = $1 AND subject IN " + fmt.Sprintf(sqliteListed, 3),
}

func (e *sqliteEngine) ping(ctx context.Context) error {
	var one int
	return e.readers.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// close ends the writer and the readers. The last connection to go copies the
// log back, which a disk that has failed is spared.
func (e *sqliteEngine) close() error {
	e.ended.stop()
	if e.writer.broken.Load() {
		return errors.Join(ErrBroken, e.writer.stop(), e.readers.Close())
	}
	err := errors.Join(e.writer.stop(), e.readers.Close(), e.main.Close())
	if err == nil {
		forgetMark(e.path)
		leaveSum(e.path)
	}
	return err
}
