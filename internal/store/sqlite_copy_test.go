package store

import (
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestTheLogIsCopiedBesideCommitsAndBeginsAnewBetweenTwo(t *testing.T) {
	c := &logCopier{}
	for _, step := range []struct {
		log  logState
		from int64
		want turn
	}{
		{logState{pages: 999}, 0, noCopy},
		{logState{pages: 1000}, 0, besideCommits},
		{logState{pages: 1500, copied: 1000}, 0, noCopy},
		{logState{pages: 1800}, 0, betweenCommits},               // as much as the reserve has room for
		{logState{pages: 2000, copied: 1799}, 0, besideCommits},  // too much to wait for
		{logState{pages: 2010, copied: 1810}, 0, betweenCommits}, // then it can begin anew
		{logState{pages: 4000, copied: 3500}, 0, betweenCommits}, // however long that takes
		{logState{pages: 2050, copied: 2010}, 2010, noCopy},      // a reader keeps it from beginning anew
		{logState{pages: 4010, copied: 3900}, 2010, betweenCommits},
		{logState{pages: 30}, 4010, noCopy}, // it has begun anew
		{logState{pages: 1000}, 0, besideCommits},
	} {
		if step.from != 0 {
			c.from = step.from
		}
		if got := c.next(step.log, false); got != step.want {
			t.Errorf("%+v after %d: %v, want %v", step.log, step.from, got, step.want)
		}
	}
	if got := (&logCopier{}).next(logState{pages: 1000}, true); got != betweenCommits {
		t.Errorf("after a lone fact: %v", got)
	}
	if got := (&logCopier{}).next(logState{pages: 999}, true); got != noCopy {
		t.Errorf("after a lone fact that leaves a short log: %v", got)
	}
}

// However much is written, the log is copied as fast, and begins anew.
func TestTheLogStaysShortUnderLoad(t *testing.T) {
	s, _ := sharedFile(t)
	writer := s.engine.(*sqliteEngine).writer
	large := strings.Repeat("x", 20_000) // five pages
	longest, most, begun := int64(0), int64(0), map[uint32]bool{}
	var look sync.Mutex
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 250 {
				if err := s.fact(t.Context(), noting(strconv.Itoa(worker)+large+strconv.Itoa(i))); err != nil {
					t.Error(err)
				}
				if log, known := writer.index.state(); known {
					look.Lock()
					longest, most, begun[log.salt1] = max(longest, log.pages), max(most, log.pages-log.copied), true
					look.Unlock()
				}
			}
		})
	}
	all.Wait()
	const oneGroup = 8 * 10 // pages, and those of the tree above them
	if longest > 2*longLog+oneGroup || most > copyAtOnce+oneGroup {
		t.Errorf("the log had %d pages, %d of them not copied", longest, most)
	}
	if len(begun) < 3 {
		t.Errorf("the log began anew %d times", len(begun)-1)
	}
}
