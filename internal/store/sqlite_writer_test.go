package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// writerOf opens a real file and returns its writing engine.
func writerOf(t *testing.T) (e *sqliteEngine, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "latchkey.db")
	opened, err := openSQLite(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.close() }) // most tests close it themselves
	return opened.(*sqliteEngine), path
}

// noting returns a fact that writes one row of that name.
func noting(name string) func(*tx) error {
	return func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO meta (name, value) VALUES ($1, 'x')`, name)
		return err
	}
}

// noted counts the rows that noting wrote.
func noted(t *testing.T, e engine) (n int) {
	t.Helper()
	if err := e.reader().QueryRowContext(t.Context(), `SELECT count(*) FROM meta`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// busy keeps the writer in a fact until release is called, so that what comes
// meanwhile is one group. It returns when the writer is in it.
func busy(t *testing.T, e *sqliteEngine) (release func()) {
	t.Helper()
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- e.write(context.Background(), func(*tx) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	release = sync.OnceFunc(func() {
		close(end)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(release)
	return release
}

// queued waits until n facts wait for the writer.
func queued(e *sqliteEngine, n int) {
	for len(e.writer.waiting) < n {
		runtime.Gosched()
	}
}

func TestFactsThatWaitTogetherShareOneCommit(t *testing.T) {
	const n = 200
	e, path := writerOf(t)
	release := busy(t, e)
	before := commits(t, path)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			if err := e.write(t.Context(), noting(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	queued(e, n)
	release()
	group.Wait()
	if got := commits(t, path) - before; got != 1 {
		t.Errorf("%d facts took %d commits, want 1", n, got)
	}
	if got := noted(t, e); got != n {
		t.Errorf("%d of %d facts are there", got, n)
	}
}

func TestFactsAreRunAgainOnlyWhenOneHasFailedHalfway(t *testing.T) {
	refused := errors.New("refused")
	for name, each := range map[string]struct {
		failing func(tx *tx) error
		runs    int
	}{
		"before it wrote": {func(*tx) error { return refused }, 1},
		"after a statement that changed nothing": {func(tx *tx) error {
			_, err := tx.exec(`DELETE FROM meta WHERE name = 'nobody'`)
			return errors.Join(refused, err)
		}, 1},
		"after a query": {func(tx *tx) error {
			var n int
			return errors.Join(refused, tx.row(`SELECT count(*) FROM meta`).Scan(&n))
		}, 1},
		"after it wrote": {func(tx *tx) error { return errors.Join(refused, noting("half")(tx)) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			e, path := writerOf(t)
			release := busy(t, e)
			before := commits(t, path)
			var group sync.WaitGroup
			runs := 0
			group.Go(func() {
				if err := e.write(t.Context(), func(tx *tx) error {
					runs++
					return noting("whole")(tx)
				}); err != nil {
					t.Error(err)
				}
			})
			queued(e, 1)
			group.Go(func() {
				if err := e.write(t.Context(), each.failing); !errors.Is(err, refused) {
					t.Errorf("the fact that failed is answered %v", err)
				}
			})
			queued(e, 2)
			release()
			group.Wait()
			if runs != each.runs || noted(t, e) != 1 || commits(t, path)-before != 1 {
				t.Errorf("%d runs, want %d; %d rows in %d commits, want one in one", runs, each.runs, noted(t, e), commits(t, path)-before)
			}
		})
	}
}

// commits counts the commits in the write-ahead log: the frames whose header
// gives the size of the database after them, and whose salt is the log's own
// (https://sqlite.org/fileformat2.html, section 4.1).
func commits(t *testing.T, path string) (n int) {
	t.Helper()
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	const head, frameHead = 32, 24
	salt, frame := string(log[16:24]), frameHead+int(binary.BigEndian.Uint32(log[8:]))
	for rest := log[head:]; len(rest) >= frame && string(rest[8:16]) == salt; rest = rest[frame:] {
		if binary.BigEndian.Uint32(rest[4:]) != 0 {
			n++
		}
	}
	return n
}

func TestAFactThatFailsOrPanicsIsUndoneAlone(t *testing.T) {
	e, _ := writerOf(t)
	failure := errors.New("changed its mind")
	release := busy(t, e)
	errs := make([]error, 30)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() {
			errs[i] = e.write(t.Context(), func(tx *tx) error {
				if err := noting(fmt.Sprint(i))(tx); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return failure
				case 2:
					panic("at the disco")
				}
				return nil
			})
		})
	}
	queued(e, len(errs))
	release()
	group.Wait()
	for i, err := range errs {
		right := err == nil
		switch i % 3 {
		case 1:
			right = errors.Is(err, failure)
		case 2:
			right = err != nil && strings.Contains(err.Error(), "panicked")
		}
		if !right {
			t.Errorf("fact %d: %v", i, err)
		}
	}
	if got := noted(t, e); got != len(errs)/3 {
		t.Errorf("%d facts are there, want the %d good ones", got, len(errs)/3)
	}
}

func TestAFactWhoseCallerHasLeftIsNotBegun(t *testing.T) {
	e, _ := writerOf(t)
	ctx, leave := context.WithCancel(t.Context())
	release := busy(t, e)
	result := make(chan error, 1)
	go func() { result <- e.write(ctx, noting("late")) }()
	queued(e, 1)
	leave()
	release()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller that left got %v", err)
	}
	if n := noted(t, e); n != 0 {
		t.Error("the fact was written all the same")
	}
}

func TestAFactThatHasBegunIsAnsweredAsItEnded(t *testing.T) {
	e, _ := writerOf(t)
	ctx, leave := context.WithCancel(t.Context())
	err := e.write(ctx, func(tx *tx) error {
		leave()
		return noting("begun")(tx)
	})
	if n := noted(t, e); err != nil || n != 1 {
		t.Errorf("got %v and %d rows", err, n)
	}
}

// isClosed reports whether no more facts are taken.
func (w *sqliteWriter) isClosed() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.closed
}

func TestClosingFinishesWhatWaitsAndRefusesTheRest(t *testing.T) {
	const n = 100
	e, path := writerOf(t)
	release := busy(t, e)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			if err := e.write(t.Context(), noting(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	queued(e, n)
	closed := make(chan error, 1)
	go func() { closed <- e.close() }()
	for !e.writer.isClosed() {
		runtime.Gosched()
	}
	if err := e.write(t.Context(), noting("late")); !errors.Is(err, errClosed) {
		t.Errorf("a fact during the closing got %v", err)
	}
	release()
	group.Wait()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if err := e.writeOne(t.Context(), noting("late")); !errors.Is(err, errClosed) {
		t.Errorf("a fact after the closing got %v", err)
	}
	again, err := openSQLite(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.close() }()
	if got := noted(t, again); got != n {
		t.Errorf("%d of %d facts are there", got, n)
	}
}
