package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
)

// writtenWhereItsCallerIs tells of a fact that is written now.
func writtenWhereItsCallerIs(t *testing.T, e *sqliteEngine) (alone bool) {
	t.Helper()
	err := e.write(t.Context(), func(*tx) error {
		alone = strings.Contains(string(debug.Stack()), "writeAlone")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return alone
}

func TestALoneCallerWritesForItself(t *testing.T) {
	e, _ := writerOf(t)
	for n := range manyAlone {
		if writtenWhereItsCallerIs(t, e) {
			t.Fatalf("after %d facts the caller counts as a lone one", n)
		}
	}
	release := busy(t, e) // is written where busy is
	var group sync.WaitGroup
	group.Go(func() {
		if writtenWhereItsCallerIs(t, e) {
			t.Error("who comes while another one writes is a lone caller")
		}
	})
	for e.writer.alone.Load() != 0 { // until it has seen that the other one writes
		runtime.Gosched()
	}
	release()
	group.Wait()
	if writtenWhereItsCallerIs(t, e) {
		t.Error("after two have met, one of them is still a lone caller")
	}
}

func TestLoneCallersThatMeetLoseNothing(t *testing.T) {
	const callers, each = 8, 200
	e, _ := writerOf(t)
	refused := errors.New("refused")
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for n := range each {
				e.writer.alone.Store(manyAlone) // as if nobody else had been there
				name := fmt.Sprintf("%d/%d", caller, n)
				err := e.write(t.Context(), func(tx *tx) error {
					if err := noting(name)(tx); err != nil {
						return err
					}
					if n%5 == 0 {
						return refused
					}
					return nil
				})
				if n%5 == 0 != errors.Is(err, refused) {
					t.Errorf("%s ended with %v", name, err)
				}
			}
		})
	}
	group.Wait()
	if got, want := noted(t, e), callers*each*4/5; got != want {
		t.Errorf("%d facts are there, want %d", got, want)
	}
}

func TestACommitThatDoesNotEndBreaksTheWriter(t *testing.T) {
	e, _ := writerOf(t)
	told := make(chan error, 1)
	e.writer.failed = func(err error) { told <- err }
	e.writer.alone.Store(manyAlone)
	ended := make(chan struct{})
	go func() { // a fact's panic is its error; this ends the goroutine of who commits
		defer close(ended)
		_ = e.write(context.Background(), func(*tx) error {
			runtime.Goexit()
			return nil
		})
	}()
	<-ended
	if err := <-told; !errors.Is(err, errPanicked) {
		t.Errorf("the disk's failure is told as %v", err)
	}
	if err := e.write(t.Context(), noting("after")); !errors.Is(err, ErrBroken) {
		t.Errorf("what comes after is answered %v", err)
	}
}
