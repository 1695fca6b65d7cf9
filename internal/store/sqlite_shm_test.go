package store

import (
	"os"
	"strconv"
	"testing"
)

// What is read past SQLite is what SQLite says.
func TestTheIndexTellsHowTheLogStands(t *testing.T) {
	s, path := sharedFile(t)
	writer := s.engine.(*sqliteEngine).writer
	begun := map[uint32]bool{}
	for i := range 60 {
		if err := s.fact(t.Context(), noting(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
		if i%10 == 5 { // the next commit begins the log anew
			var busy, pages, copied int
			if err := s.engine.(*sqliteEngine).readers.db.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &copied); err != nil || busy != 0 {
				t.Fatal(err, busy)
			}
		}
		var busy int
		var want logState
		if err := s.read().QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &want.pages, &want.copied); err != nil {
			t.Fatal(err)
		}
		log, err := os.ReadFile(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		_, want.salt1, want.salt2 = headOf(log)
		if got, known := writer.index.state(); !known || got != want {
			t.Fatalf("after %d: %+v, %v, and SQLite says %+v", i, got, known, want)
		}
		begun[want.salt1] = true
		if whole := wholeFrames(path+"-wal", logMark{salt1: want.salt1, salt2: want.salt2}); whole < want.pages {
			t.Fatalf("after %d: the log is whole up to %d of %d", i, whole, want.pages)
		}
	}
	if len(begun) < 5 {
		t.Errorf("the log has begun anew %d times", len(begun)-1)
	}
}
