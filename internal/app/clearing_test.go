package app

import "testing"

func TestMemoryIsClearedOnceAfterSomethingWasWritten(t *testing.T) {
	var cycles uint64
	c := &clearer{collect: func() { cycles++ }, ran: func() uint64 { return cycles }}
	for _, look := range []struct {
		name  string
		facts int64
		alone uint64 // how often the collector has run by itself since the look before
		runs  uint64
	}{
		{"nothing was written", 0, 1, 0},
		{"something was written", 1, 1, 2},
		{"nothing more was written", 1, 0, 0},
		{"something was written while it is busy", 2, busyCycles, 0},
		{"it is still busy", 2, busyCycles, 0},
		{"it is busy no more", 2, busyCycles - 1, 2},
		{"all is cleared", 2, 0, 0},
	} {
		cycles += look.alone
		before := cycles
		if c.look(look.facts); cycles-before != look.runs {
			t.Errorf("%s: the collector was asked %d times, not %d", look.name, cycles-before, look.runs)
		}
	}
}
