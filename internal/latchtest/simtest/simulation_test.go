package simtest

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// How many seeds are played unless -seeds says otherwise.
const (
	usualSeeds = 10_000
	raceSeeds  = 100 // under the race detector, which makes them some ten times as slow
)

var seeds = flag.Int("seeds", 0, "how many seeds to play, from 1; 0: the usual number")

func TestSixInvariantsHoldWhateverHappens(t *testing.T) {
	most := *seeds
	if most == 0 {
		most = usualSeeds
		if underRaceDetector() {
			most = raceSeeds
		}
	}
	var tally tally
	playAll(t, most, none, func(seed int, w *world) bool {
		tally.add(w)
		if broken := w.violation; broken != nil {
			t.Errorf("seed %d broke %v\nreplay and shrink it with: go test ./internal/latchtest/simtest -run TestOneSeed -args -rapid.seed=%d",
				seed, broken, seed)
		}
		return tally.broken.Load() < mostTold
	})
	fmt.Printf("RESULT F-3 %d 0\nRESULT F-3.seeds %d %d\n", tally.broken.Load(), tally.played.Load(), most)
	tally.judge(t)
}

// mostTold is after how many broken seeds the rest is not worth its time.
const mostTold = 5

// playAll plays the seeds from 1 to most, on every processor, until one of them
// is the last that the caller wants.
func playAll(t *testing.T, most int, planted bug, played func(seed int, w *world) (more bool)) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // worlds are small and many
	var next, enough atomic.Int64
	enough.Store(math.MaxInt64)
	t.Run("players", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				database := newDatabase(t)
				for {
					seed := next.Add(1)
					if seed > int64(most) || seed > enough.Load() {
						return
					}
					if !played(int(seed), play(t, database, scenarios.Example(int(seed)), planted)) {
						enough.Store(0)
					}
				}
			})
		}
	})
}

// TestOneSeed plays the seed of -rapid.seed, or what -rapid.failfile holds, and
// shrinks the scenario when it breaks an invariant. What is printed then belongs
// into mended.
func TestOneSeed(t *testing.T) {
	set := func(name, value string) {
		before := flag.Lookup(name).Value.String()
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set(name, before) })
	}
	if flag.Lookup("rapid.seed").Value.String() == "0" {
		set("rapid.seed", "1")
	}
	set("rapid.checks", "1")
	database := newDatabase(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := scenarios.Draw(rt, "scenario")
		if broken := play(t, database, s, none).violation; broken != nil {
			rt.Logf("%v", s)
			rt.Fatal(broken)
		}
	})
}

func TestASeedIsTheSameWorldEveryTime(t *testing.T) {
	database, differing := newDatabase(t), 0
	for seed := 1; seed <= repeated; seed++ {
		first, second := history(t, database, seed), history(t, database, seed)
		if !slices.Equal(first, second) {
			differing++
			at := slices.IndexFunc(first, func(line string) bool { return !slices.Contains(second, line) })
			t.Logf("seed %d is another world the second time, from %q on", seed, first[max(at, 0)])
		}
	}
	fmt.Printf("RESULT F-3.differing %d %d\n", differing, mostDiffering)
	if differing > mostDiffering {
		t.Errorf("%d of %d seeds are another world the second time", differing, repeated)
	}
}

// history returns what happens in the world of a seed.
func history(t *testing.T, database *database, seed int) []string {
	t.Helper()
	w := &world{database: database, scenario: scenarios.Example(seed), remembers: true, owners: map[string]string{}}
	w.play(t)
	return w.history
}

// How many seeds are played twice, and how many of them may differ: goroutines
// that wake at the very same nanosecond go on in the order that the machine
// likes.
const (
	repeated      = 20
	mostDiffering = 2
)

// underRaceDetector reports whether the test was built with -race.
func underRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
