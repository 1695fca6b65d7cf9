//go:build !race

package simtest

import (
	"fmt"
	"sync"
	"testing"
)

// mostPlanted is within how many seeds each planted bug must be found.
const mostPlanted = 400

// plantedBugs are all that can be planted, with the invariant that each breaks.
var plantedBugs = map[bug]invariant{
	bugUnasked: consentFirst, bugStaleCache: deadIsDead, bugPassesOver: inOrder, bugForgetful: acksLast,
	bugLooseLease: oneRefresh, bugOthersRow: tenantsApart,
}

func TestAPlantedBugInEachInvariantIsFound(t *testing.T) {
	found := 0
	for planted, breaks := range plantedBugs {
		t.Run(string(breaks), func(t *testing.T) {
			seed := findBug(t, planted, breaks)
			if seed == 0 {
				t.Fatalf("%d seeds did not find it", mostPlanted)
			}
			s, database := scenarios.Example(seed), newDatabase(t)
			if !breaksAgain(t, database, s, planted, breaks) {
				t.Errorf("seed %d does not break it again", seed)
			}
			if without := play(t, database, s, none).violation; without != nil {
				t.Errorf("without the bug seed %d breaks %v all the same", seed, without)
			}
			t.Logf("found by seed %d", seed)
			found++
		})
	}
	fmt.Printf("RESULT F-3.mutations %d %d\n", found, len(plantedBugs))
}

// findBug returns a seed with which the planted bug breaks its invariant, 0 if
// there is none.
func findBug(t *testing.T, planted bug, breaks invariant) (seed int) {
	var mu sync.Mutex
	playAll(t, mostPlanted, planted, func(played int, w *world) bool {
		broken := w.violation
		mu.Lock()
		defer mu.Unlock()
		if broken != nil && broken.invariant == breaks && seed == 0 {
			seed = played
			t.Log(broken)
		}
		return seed == 0
	})
	return seed
}

// breaksAgain reports whether the scenario breaks the invariant another time.
// The one world in a hundred that is not quite the same gets a second chance.
func breaksAgain(t *testing.T, database *database, s scenario, planted bug, breaks invariant) bool {
	t.Helper()
	for range 2 {
		if again := play(t, database, s, planted).violation; again != nil && again.invariant == breaks {
			return true
		}
	}
	return false
}
