package app

import (
	"runtime"
	"testing"
)

func TestMemoryIsClearedOnceAfterSomethingWasWritten(t *testing.T) {
	c := &clearer{cycles: collectorCycles()}
	look := func(facts int64) uint64 {
		before := collectorCycles()
		c.look(facts)
		return collectorCycles() - before
	}
	if ran := look(0); ran != 0 {
		t.Errorf("nothing was written, and the collector ran %d times", ran)
	}
	if ran := look(1); ran < 2 {
		t.Errorf("something was written, and the collector ran %d times", ran)
	}
	if ran := look(1); ran != 0 {
		t.Errorf("nothing more was written, and the collector ran %d times", ran)
	}
	for range busyCycles {
		runtime.GC()
	}
	if ran := look(2); ran != 0 {
		t.Errorf("it is busy, and the collector ran %d times more", ran)
	}
	if ran := look(2); ran < 2 {
		t.Errorf("it is busy no more, and the collector ran %d times", ran)
	}
}
