package store

import (
	"strconv"
	"sync"
	"testing"
)

// A log that is emptied at the moment at which a commit leaves its mark has lost
// nothing.
func TestAMarkThatIsLeftWhileTheLogIsEmptiedTellsOfNoLoss(t *testing.T) {
	s, path := sharedFile(t)
	for i := range 400 {
		var both sync.WaitGroup
		both.Go(func() {
			if err := s.fact(t.Context(), noting(strconv.Itoa(i))); err != nil {
				t.Error(err)
			}
		})
		both.Go(func() {
			if err := s.Scrub(t.Context()); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if err := checkMark(path); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
}
