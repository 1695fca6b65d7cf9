package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// groupLimit bounds how many facts share one commit.
const groupLimit = 512

// lookForRoom is how often a full disk is looked at.
const lookForRoom = time.Second

// lookForOthers is how often the writer looks whether another process has
// written to the file, so that what is remembered is good again.
const lookForOthers = 400 * time.Millisecond

// restAfter is how long few facts may come before the writer gives the memory of
// its cache back, and fewFacts how many those are.
const (
	restAfter = time.Minute
	fewFacts  = 60
)

// manyAlone is how many groups of one fact each make the next caller a lone one.
const manyAlone = 8

// errClosed answers facts that come after the store was closed.
var errClosed = errors.New("the store is closed")

// errPanicked is why nothing is written after a commit that did not end.
var errPanicked = errors.New("a commit panicked")

// sqliteWriter owns the one writing connection. It takes every fact that is
// waiting into one transaction, in which one that fails is undone alone, and answers
// all of them after the one commit: many callers share one fsync. A fact may be run
// more than once. The fact of a caller who has been the only one of late is written
// where the caller is.
//
// After a failed fsync, write or read it writes nothing more: see isBroken.
type sqliteWriter struct {
	conn    *preparedConn
	room    *reserve
	failed  func(error) // told once when the disk fails
	broken  atomic.Bool
	waiting chan *waitingFact
	scrubs  chan chan error // wait for the log to be emptied
	done    chan struct{}
	mu      sync.RWMutex // guards closing against sends
	closed  bool
	alone   atomic.Int32  // how many groups of late were one fact each; 0 after callers have met
	left    chan struct{} // the log is to be copied after a lone fact
	writing sync.Mutex    // held by who writes; guards all that follows
	facts   int           // since the writer last rested, or could have
	marker  *logMarker
	recent  memories
	index   *logIndex // nil: not to be had
	copier  *logCopier
}

// waitingFact is a fact on its way to the writer.
type waitingFact struct {
	ctx    context.Context
	run    func(tx *tx) error
	single bool // one statement: it needs no savepoint
	urgent bool // written even when the disk is full
	err    error
	answer chan struct{}
}

func startSQLiteWriter(ctx context.Context, main, copies *sql.DB, path string, room *reserve, failed func(error)) (*sqliteWriter, error) {
	conn, err := main.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the writer: %w", err)
	}
	index, err := openLogIndex(path)
	if err != nil {
		index = nil // nothing is remembered, no mark is left, and the log is copied after every commit
	}
	writer := &sqliteWriter{
		conn: newPreparedConn(conn), room: room, failed: failed,
		waiting: make(chan *waitingFact, groupLimit),
		scrubs:  make(chan chan error),
		done:    make(chan struct{}),
		left:    make(chan struct{}, 1),
		marker:  newLogMarker(path), recent: newMemories(index), index: index,
	}
	writer.copier = &logCopier{db: copies, told: writer.copied}
	writer.conn.changes.active = writer.recent.activeApps
	go writer.loop()
	return writer, nil
}

// write hands the fact over and waits for its commit. Once the writer has
// begun with it, the wait goes on even if ctx ends: the outcome is known soon,
// and a fact that is answered must be one that is known.
func (w *sqliteWriter) write(fact *waitingFact) error {
	if w.room.full.Load() && !fact.urgent {
		return ErrFull
	}
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return errClosed
	}
	if w.alone.Load() >= manyAlone {
		if w.writing.TryLock() {
			defer w.mu.RUnlock()
			w.writeAlone(fact)
			return fact.err
		}
		w.alone.Store(0)
	}
	fact.answer = make(chan struct{})
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

// writeAlone commits a lone fact where its caller is, who then has not to wait until
// the loop and again until the caller is awake. A copy of the log that is due is left
// to the loop.
func (w *sqliteWriter) writeAlone(fact *waitingFact) {
	ended := false
	defer func() {
		if !ended { // the connection may be in the middle of something
			w.fail(errPanicked)
		}
		w.writing.Unlock()
	}()
	w.commit([]*waitingFact{fact})
	w.facts++
	if now, _ := w.copyDue(true); now != noCopy {
		select {
		case w.left <- struct{}{}:
		default: // the loop knows
		}
	}
	ended = true
}

func (w *sqliteWriter) loop() {
	defer close(w.done)
	looks := time.NewTicker(lookForRoom)
	defer looks.Stop()
	others := time.NewTicker(lookForOthers)
	defer others.Stop()
	rests := time.NewTicker(restAfter)
	defer rests.Stop()
	group := make([]*waitingFact, 0, groupLimit)
	for {
		select {
		case first, open := <-w.waiting:
			if !open {
				return
			}
			runtime.Gosched() // those who are about to hand over a fact do so: the commit is theirs too
			w.while(func() {
				group = w.gather(append(group[:0], first))
				w.writeGroup(group)
			})
			clear(group) // who asked is not to be remembered
		case <-w.left:
			w.while(func() { w.checkpoint(true) })
		case emptied := <-w.scrubs:
			w.while(func() { emptied <- w.shrink() })
		case <-others.C:
			w.while(w.recent.begin)
		case <-rests.C:
			w.while(w.rest)
		case <-looks.C:
			if w.room.full.Load() {
				w.while(func() { _ = w.shrink() }) // the next look tries again
				w.room.recover()
			}
		}
	}
}

// while does something while nobody else writes.
func (w *sqliteWriter) while(do func()) {
	w.writing.Lock()
	defer w.writing.Unlock()
	do()
}

// writeGroup commits a group and answers all of it.
func (w *sqliteWriter) writeGroup(group []*waitingFact) {
	w.commit(group)
	for _, fact := range group {
		close(fact.answer)
	}
	if w.alone.Add(1); len(group) > 1 {
		w.alone.Store(0)
	}
	w.facts += len(group)
	w.checkpoint(len(group) == 1)
}

// rest gives the memory of the cache back after few facts.
func (w *sqliteWriter) rest() {
	if w.facts <= fewFacts {
		_ = w.conn.command(context.Background(), "PRAGMA shrink_memory") // the next time tries again
	}
	w.facts = 0
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
// it. When the transaction itself fails, every fact of it has failed; when the
// disk was full, those that are urgent are tried again with the reserve.
func (w *sqliteWriter) commit(group []*waitingFact) {
	if w.broken.Load() {
		failAll(group, ErrBroken)
		return
	}
	err := w.try(group)
	if isFull(err) {
		w.room.runOut(err)
		urgent := make([]*waitingFact, 0, len(group))
		for _, fact := range group {
			if fact.err = fmt.Errorf("%w: %w", ErrFull, err); fact.urgent {
				urgent = append(urgent, fact)
			}
		}
		if len(urgent) == 0 {
			return
		}
		for group = urgent; isFull(err) && w.room.give(); err = w.try(group) {
			w.checkpoint(true) // between commits, as there is no room
		}
	}
	switch {
	case err == nil:
	case isFull(err):
		failAll(group, fmt.Errorf("%w: %w", ErrFull, err))
	case isBroken(err):
		w.fail(err)
		failAll(group, fmt.Errorf("%w: %w", ErrBroken, err))
	default:
		failAll(group, err)
	}
}

// try runs the group in one transaction. An error is that of the transaction,
// which is undone. Facts rarely fail, so none has a savepoint of its own until one
// does that has written something: then the group is run anew, with savepoints.
func (w *sqliteWriter) try(group []*waitingFact) error {
	err := w.run(group, w.runPlain)
	if errors.Is(err, errHalfway) {
		err = w.run(group, w.runUnderSavepoint)
	}
	return err
}

// errHalfway ends a transaction in which a fact has failed halfway.
var errHalfway = errors.New("a fact that had written failed")

// run runs the group in one transaction, each fact in the given way.
func (w *sqliteWriter) run(group []*waitingFact, run func(context.Context, *waitingFact) error) error {
	ctx := context.Background()
	if err := w.conn.command(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	w.recent.begin()
	changed := &w.conn.changes
	changed.forget()
	committed := false
	defer func() {
		if !committed {
			changed.rows = 0
		}
		w.recent.end(changed)
	}()
	wrote := false
	for _, fact := range group {
		if fact.err = fact.ctx.Err(); fact.err != nil {
			continue
		}
		ended := run(ctx, fact)
		if isFull(fact.err) || isBroken(fact.err) {
			ended = fact.err
		}
		if ended != nil {
			_ = w.conn.command(ctx, "ROLLBACK")
			return ended
		}
		wrote = wrote || fact.err == nil
	}
	end := "COMMIT"
	if !wrote {
		end = "ROLLBACK"
	}
	if err := w.conn.command(ctx, end); err != nil {
		_ = w.conn.command(ctx, "ROLLBACK")
		return fmt.Errorf("commit: %w", err)
	}
	committed = wrote
	if wrote {
		w.marker.note(w.index)
	}
	return nil
}

// fail writes nothing from now on.
func (w *sqliteWriter) fail(cause error) {
	if !w.broken.Swap(true) {
		w.failed(fmt.Errorf("%w: %w", ErrBroken, cause))
	}
}

// copyDue says how the write-ahead log, which stands so, is to be copied back after a
// commit: when it is long, or when there is no room for a longer one. SQLite would do
// it within a commit, and say nothing of an fsync that failed there.
func (w *sqliteWriter) copyDue(lone bool) (turn, logState) {
	log, known := w.index.state()
	if !known || w.room.full.Load() {
		return betweenCommits, log
	}
	return w.copier.next(log, lone), log
}

// checkpoint copies the log back if that is due.
func (w *sqliteWriter) checkpoint(lone bool) {
	if w.broken.Load() {
		return
	}
	switch now, log := w.copyDue(lone); now {
	case besideCommits:
		w.copier.beside()
	case betweenCommits:
		w.copied(w.copier.between(w.conn, log))
	}
}

// copied hears what became of a copy of the log.
func (w *sqliteWriter) copied(err error) {
	switch {
	case isFull(err):
		w.room.runOut(err)
	case isBroken(err):
		w.fail(fmt.Errorf("checkpoint: %w", err))
	}
}

// shrink copies the write-ahead log back and empties it, unless readers still
// need it: the next turn will. Those have little time, as nobody writes meanwhile.
func (w *sqliteWriter) shrink() error {
	if w.broken.Load() {
		return ErrBroken
	}
	w.copier.lock.Lock()
	defer w.copier.lock.Unlock()
	ctx := context.Background()
	var busy, pages, copied int
	_ = w.conn.command(ctx, "PRAGMA busy_timeout=50")
	err := w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &copied)
	_ = w.conn.command(ctx, "PRAGMA busy_timeout=10000")
	switch {
	case isBroken(err):
		w.fail(fmt.Errorf("checkpoint: %w", err))
	case err == nil && busy == 0:
		w.marker.forget()
	}
	return err
}

// runPlain runs one fact that will not fail, or not after it has written: the
// returned error is errHalfway when it has.
func (w *sqliteWriter) runPlain(ctx context.Context, fact *waitingFact) error {
	w.conn.wrote = false
	if fact.err = w.runFact(ctx, fact); fact.err != nil && w.conn.wrote && !fact.single {
		return errHalfway
	}
	return nil
}

// runUnderSavepoint runs one fact so that its failure undoes it alone. The
// returned error is the transaction's own end, not the fact's.
func (w *sqliteWriter) runUnderSavepoint(ctx context.Context, fact *waitingFact) error {
	if fact.single {
		fact.err = w.runFact(ctx, fact)
		return nil
	}
	if err := w.conn.command(ctx, "SAVEPOINT fact"); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	fact.err = w.runFact(ctx, fact)
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

// runFact runs a fact. Of one that fails nothing is written.
func (w *sqliteWriter) runFact(ctx context.Context, fact *waitingFact) error {
	changed := &w.conn.changes
	begun := changed.mark()
	err := runFact(fact, &tx{ctx: ctx, run: w.conn, fragments: &sqliteFragments, changes: changed})
	if err != nil {
		changed.undo(begun)
	}
	return err
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
	return errors.Join(w.copier.stop(), w.conn.Close())
}
