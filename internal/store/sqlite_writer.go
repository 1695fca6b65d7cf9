package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// groupLimit bounds how many facts share one commit.
const groupLimit = 512

// errClosed answers facts that come after the store was closed.
var errClosed = errors.New("the store is closed")

// sqliteWriter owns the one writing connection. It takes every fact that is
// waiting into one transaction, each under its own savepoint, and answers all
// of them after the one commit: many callers share one fsync.
type sqliteWriter struct {
	conn    *preparedConn
	waiting chan *waitingFact
	done    chan struct{}
	mu      sync.RWMutex // guards closing against sends
	closed  bool
	marker  *logMarker
}

// waitingFact is a fact on its way to the writer.
type waitingFact struct {
	ctx    context.Context
	run    func(tx *tx) error
	single bool // one statement: it needs no savepoint
	err    error
	answer chan struct{}
}

func startSQLiteWriter(ctx context.Context, main *sql.DB, path string) (*sqliteWriter, error) {
	conn, err := main.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the writer: %w", err)
	}
	writer := &sqliteWriter{
		conn:    newPreparedConn(conn),
		waiting: make(chan *waitingFact, groupLimit),
		done:    make(chan struct{}),
		marker:  newLogMarker(path),
	}
	go writer.loop()
	return writer, nil
}

// write hands the fact over and waits for its commit. Once the writer has
// begun with it, the wait goes on even if ctx ends: the outcome is known soon,
// and a fact that is answered must be one that is known.
func (w *sqliteWriter) write(fact *waitingFact) error {
	fact.answer = make(chan struct{})
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return errClosed
	}
	select {
	case w.waiting <- fact:
		w.mu.RUnlock()
	case <-fact.ctx.Done():
		w.mu.RUnlock()
		return fact.ctx.Err()
	}
	<-fact.answer
	return fact.err
}

func (w *sqliteWriter) loop() {
	defer close(w.done)
	group := make([]*waitingFact, 0, groupLimit)
	for first := range w.waiting {
		group = append(group[:0], first)
		group = w.gather(group)
		w.commit(group)
		for _, fact := range group {
			close(fact.answer)
		}
	}
}

// gather takes what is waiting, without waiting for more.
func (w *sqliteWriter) gather(group []*waitingFact) []*waitingFact {
	for len(group) < groupLimit {
		select {
		case fact, open := <-w.waiting:
			if !open {
				return group
			}
			group = append(group, fact)
		default:
			return group
		}
	}
	return group
}

// commit runs the group in one transaction and leaves each fact's outcome in
// it. When the transaction itself fails, every fact of it has failed.
func (w *sqliteWriter) commit(group []*waitingFact) {
	ctx := context.Background()
	if err := w.conn.command(ctx, "BEGIN IMMEDIATE"); err != nil {
		failAll(group, fmt.Errorf("begin: %w", err))
		return
	}
	wrote := false
	for _, fact := range group {
		if fact.err = fact.ctx.Err(); fact.err != nil {
			continue
		}
		var broken error
		if fact.single {
			fact.err = runFact(fact, &tx{ctx: ctx, run: w.conn, fragments: &sqliteFragments})
		} else {
			broken = w.runUnderSavepoint(ctx, fact)
		}
		if broken != nil {
			_ = w.conn.command(ctx, "ROLLBACK")
			failAll(group, broken)
			return
		}
		wrote = wrote || fact.err == nil
	}
	end := "COMMIT"
	if !wrote {
		end = "ROLLBACK"
	}
	if err := w.conn.command(ctx, end); err != nil {
		_ = w.conn.command(ctx, "ROLLBACK")
		failAll(group, fmt.Errorf("commit: %w", err))
		return
	}
	if wrote {
		w.marker.note()
	}
}

// runUnderSavepoint runs one fact so that its failure undoes it alone. The
// returned error is the transaction's own end, not the fact's.
func (w *sqliteWriter) runUnderSavepoint(ctx context.Context, fact *waitingFact) error {
	if err := w.conn.command(ctx, "SAVEPOINT fact"); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	fact.err = runFact(fact, &tx{ctx: ctx, run: w.conn, fragments: &sqliteFragments})
	if fact.err != nil {
		if err := w.conn.command(ctx, "ROLLBACK TO fact"); err != nil {
			return fmt.Errorf("roll back one fact: %w", err)
		}
	}
	if err := w.conn.command(ctx, "RELEASE fact"); err != nil {
		return fmt.Errorf("release savepoint: %w", err)
	}
	return nil
}

// runFact turns a panic of a fact into its error: the writer serves everybody
// and must live on.
func runFact(fact *waitingFact, within *tx) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("fact panicked: %v", caught)
		}
	}()
	return fact.run(within)
}

func failAll(group []*waitingFact, err error) {
	for _, fact := range group {
		fact.err = err
	}
}

// stop lets the waiting facts finish and ends the loop.
func (w *sqliteWriter) stop() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.waiting)
	}
	w.mu.Unlock()
	<-w.done
	w.marker.close()
	return w.conn.Close()
}
