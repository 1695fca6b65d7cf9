package simtest

import (
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seedFlag  = flag.Int("seed", 0, "the one seed to play; 0: the first of -seeds")
	seedsFlag = flag.Int("seeds", 300, "how many seeds are played")
)

func TestX(t *testing.T) {
	if *seedFlag != 0 {
		d := newDatabase(t)
		for range 3 {
			s := scenarios.Example(*seedFlag)
			b, h := play(t, d, s, none)
			fmt.Println(s, b, h)
		}
		return
	}
	begin := time.Now()
	var next atomic.Int64
	var failed atomic.Int64
	t.Run("workers", func(t *testing.T) {
		for i := range 2 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				d := newDatabase(t)
				for {
					seed := int(next.Add(1))
					if seed > *seedsFlag {
						return
					}
					if b, _ := play(t, d, scenarios.Example(seed), none); b != nil {
						failed.Add(1)
						t.Errorf("seed %d: %v", seed, b)
					}
				}
			})
		}
	})
	fmt.Println("took", time.Since(begin), failed.Load())
}
