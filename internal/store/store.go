// Package store keeps everything that must outlive the process: one SQL text,
// two engines. A method is a fact of the business, not a verb of SQL; a fact
// is one transaction, and is on disk when the method returns nil.
//
//	room ─▶ fact ─▶ SQLite: one writer takes what waits, one fsync
//	            └─▶ PostgreSQL: hot facts batched by unnest, the rest a transaction each
//	room ─▶ read ─▶ a pool of readers
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"latchkey"
)

// Config says where the store is.
type Config struct {
	URL string // postgres://…; empty: SQLite at Path
	// DirectURL leads to the server itself where URL leads to a pooler that
	// lends connections for a transaction each. Then nothing is prepared there.
	DirectURL   string
	Connections int    // to PostgreSQL, at most; 0: 32
	Path        string // the SQLite file, made with mode 0600 when it is not there
	Log         *slog.Logger
	// Woken is called, on any goroutine, when deliveries have been committed,
	// here or by another process. It must not block.
	Woken func()
	// Changed is called, on any goroutine, when something was committed that may
	// be remembered: at once here, and soon after in the other processes, as a
	// rule. It must not block.
	Changed func(Change)
	// Revoked is called when it has been committed that something was revoked,
	// before the fact returns.
	Revoked func(latchkey.JournalEntry)
	// Unfinished opens also a database that is still being filled, for whoever
	// fills it.
	Unfinished bool
	// Failed is called once, on any goroutine, when the disk has failed: then
	// nothing is written any more and the process should end. It must not block.
	Failed func(error)
	// FactsAtOnce bounds how many facts may wait or run before others are
	// refused with ErrBusy; those that end things never are. 0: no bound.
	FactsAtOnce int
}

// complete puts nobody where the caller named nobody.
func (c Config) complete() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Woken == nil {
		c.Woken = func() {}
	}
	if c.Changed == nil {
		c.Changed = func(Change) {}
	}
	if c.Failed == nil {
		c.Failed = func(error) {}
	}
	return c
}

// Store is the database. Its methods are safe for concurrent use.
type Store struct {
	engine    engine
	messenger messenger
	woken     func()
	heard     func(Change)
	revoked   func(latchkey.JournalEntry)
	log       *slog.Logger
	reads     atomic.Int64
	facts     atomic.Int64
	memories  memories // that know nothing on PostgreSQL

	underWay    atomic.Int64 // facts that wait or run
	factsAtOnce int64        // 0: no bound
}

// engine is where SQLite and PostgreSQL differ.
type engine interface {
	// write runs a fact in a transaction of its own or under a savepoint, and
	// returns when it is durable or undone.
	// With an urgent ctx it is written even when the disk is full.
	write(ctx context.Context, fact func(tx *tx) error) error
	// writeOne is write for a fact of a single statement, which undoes itself
	// when it fails.
	writeOne(ctx context.Context, fact func(tx *tx) error) error
	reader() reader
	fragments() *fragments
	batches() *batches // nil where write itself groups
	finishes() *batch[*finishedDelivery]
	ping(ctx context.Context) error
	close() error
}

// fragments are the pieces of SQL in which the engines differ.
type fragments struct {
	skipLocked string // makes a claim pass by rows that another claims
	skipHeads  string // the same where only the rows of h are claimed
	shareLock  string // keeps the rows that a SELECT finds as they are until the commit
	shareOfW   string // the same where only the rows of w are kept
	after      string // an event's condition to come after the place ($3, $4)
	until      string // an event's condition not to come after the place ($6, $7)
	settled    string // narrows events to those that none can come to stand before
	listed     string // the list of what the commas of a text separate; the text's number is %d
	heads      string // the condition of the heads of endpoint $1 whose subjects the commas of $3 separate
	byIndexes  string // has the rest of a transaction read by indexes; empty: it does so anyway
	now        string // the time of day in microseconds since 1970
}

// in returns the list of what the commas of the text $n separate.
func (f *fragments) in(n int) string { return fmt.Sprintf(f.listed, n) }

// querier is what *sql.DB, *sql.Tx and a prepared writer have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// reader answers questions that change nothing.
type reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) scanner
}

// plainReader asks without further ado.
type plainReader struct{ querier }

// QueryRowContext runs a query for one row.
func (r plainReader) QueryRowContext(ctx context.Context, query string, args ...any) scanner {
	return r.querier.QueryRowContext(ctx, query, args...)
}

// Open opens the database, checks that it can be trusted to keep what it
// acknowledges, and migrates it.
func Open(ctx context.Context, config Config) (*Store, error) {
	alone := config.Woken == nil && config.Changed == nil // nobody would hear
	config = config.complete()
	store := &Store{
		woken: config.Woken, heard: config.Changed, revoked: config.Revoked, log: config.Log, messenger: nobody{},
		factsAtOnce: int64(config.FactsAtOnce),
	}
	var err error
	switch {
	case config.URL == "":
		store.engine, err = openSQLite(ctx, config)
		if alone, ok := store.engine.(*sqliteEngine); ok {
			store.memories = alone.writer.recent
		}
	case strings.HasPrefix(config.URL, "postgres://"), strings.HasPrefix(config.URL, "postgresql://"):
		store.engine, err = openPostgres(ctx, config)
	default:
		return nil, errors.New("database_url must be empty (SQLite) or begin with postgres://")
	}
	if err != nil {
		return nil, err
	}
	if !config.Unfinished {
		if err := refuseUnfinished(ctx, store.engine.reader()); err != nil {
			return nil, errors.Join(err, store.Close())
		}
	}
	if shared, ok := store.engine.(*postgresEngine); ok && !alone {
		store.messenger = shared.startReplicas(config, store.log)
	}
	return store, nil
}

// Close ends every connection. Facts under way finish first.
func (s *Store) Close() error {
	s.messenger.close()
	return s.engine.close()
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.engine.ping(ctx); err != nil {
		return fmt.Errorf("ping database: %w", err)
	}
	return nil
}

// Counts returns how many reads and facts there have been, for budgets.
func (s *Store) Counts() (reads, facts int64) { return s.reads.Load(), s.facts.Load() }

// fact runs one business fact and counts it.
func (s *Store) fact(ctx context.Context, run func(tx *tx) error) error {
	return s.bounded(func() error { return s.engine.write(ctx, run) })
}

// statement runs a business fact that is a single statement and counts it.
func (s *Store) statement(ctx context.Context, run func(tx *tx) error) error {
	return s.bounded(func() error { return s.engine.writeOne(ctx, run) })
}

// ending runs a fact that must not be refused when the disk is full or many
// facts wait: it ends something, keeps what can't be had again, or writes down
// what has already happened outside.
func (s *Store) ending(ctx context.Context, run func(tx *tx) error) error {
	s.facts.Add(1)
	return explainFrozen(s.engine.write(context.WithValue(ctx, urgentKey{}, true), run))
}

// urgentKey marks the ctx of a fact that is written even when the disk is full.
type urgentKey struct{}

func isUrgent(ctx context.Context) bool { return ctx.Value(urgentKey{}) != nil }

// bounded counts a fact and runs it, unless too many are under way.
func (s *Store) bounded(run func() error) error {
	s.facts.Add(1)
	defer s.underWay.Add(-1)
	if now := s.underWay.Add(1); s.factsAtOnce > 0 && now > s.factsAtOnce {
		return ErrBusy
	}
	return explainFrozen(run())
}

// read counts one read and returns where to ask.
func (s *Store) read() reader {
	s.reads.Add(1)
	return s.engine.reader()
}

// tx runs the statements of one fact.
type tx struct {
	ctx       context.Context
	run       querier
	fragments *fragments
	changes   *changes // nil: nobody remembers rows
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	result, err := t.run.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	rows, err := result.RowsAffected()
	if t.changes != nil {
		t.changes.rows += rows
	}
	return rows, err
}

// row runs a query for one row.
func (t *tx) row(query string, args ...any) *sql.Row {
	return t.run.QueryRowContext(t.ctx, query, args...)
}

// rows runs a query.
func (t *tx) rows(query string, args ...any) (*sql.Rows, error) {
	return t.run.QueryContext(t.ctx, query, args...)
}

// byIndexes has the rest of the transaction read by indexes and in their order. It is for queues, which
// are all but empty as a rule: in the first minute of a rush PostgreSQL plans by
// statistics that say so, and to read all of a queue would look cheap.
func (t *tx) byIndexes() error {
	if t.fragments.byIndexes == "" {
		return nil
	}
	_, err := t.exec(t.fragments.byIndexes)
	return err
}

// conflict is the answer to a fact that read an older version.
func conflict(noun string) error {
	return latchkey.Errorf(latchkey.Conflict, "the %s has changed since it was read", noun)
}

// notFound is the answer to a fact about something that is not there.
func notFound(noun string) error {
	return latchkey.Errorf(latchkey.NotFound, "no such %s", noun)
}

// orNotFound turns "no rows" into a not-found error of the noun.
func orNotFound(err error, noun string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(noun)
	}
	return fmt.Errorf("load %s: %w", noun, err)
}

// micros returns a time as it is stored: microseconds since 1970, 0 for the
// zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is the inverse of micros.
func moment(stored int64) time.Time {
	if stored == 0 {
		return time.Time{}
	}
	return time.UnixMicro(stored).UTC()
}

// scanner is a row of either kind.
type scanner interface{ Scan(into ...any) error }

// collect scans every row of a query and closes it.
func collect[T any](rows *sql.Rows, queryErr error, scan func(scanner) (T, error)) ([]T, error) {
	if queryErr != nil {
		return nil, queryErr
	}
	defer func() { _ = rows.Close() }()
	var list []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, cut(rows.Err())
}
