package app

import (
	"context"
	"runtime"
	measured "runtime/metrics"
	"time"

	"latchkey/internal/jobs"
)

const (
	clearEvery = 2 * time.Second
	busyCycles = 4 // the collector runs by itself so often between two looks
)

// clearer has the garbage collector run soon after something was written: what
// requests left behind, such as the link of a session that has ended, is not to
// lie in memory until there is much of it. What is freed is overwritten where
// the process was started with GODEBUG=clobberfree=1, as `latchkey serve` sees to.
type clearer struct {
	collect func()        // runs the collector to its end
	ran     func() uint64 // how often it has run

	facts  int64  // that were written when it looked last
	cycles uint64 // that the collector had run then
	owed   bool   // something was written since the collector was asked to run
}

// clearing makes the loop of the clearer.
func (a *App) clearing() lifecycle {
	c := &clearer{collect: runtime.GC, ran: collectorCycles}
	return jobs.NewTicker(jobs.TickerConfig{
		Name: "clear memory", Every: clearEvery, Log: a.parts.Log, Now: a.parts.Now,
		Do: func(context.Context) error {
			_, facts := a.store.Counts()
			c.look(facts)
			return nil
		},
	})
}

// look clears if something is owed and the process has the time for it: one that
// is busy is looked at again.
func (c *clearer) look(facts int64) {
	cycles := c.ran()
	busy := cycles-c.cycles >= busyCycles
	c.owed = c.owed || facts != c.facts
	c.facts = facts
	if c.owed && !busy {
		c.collect() // empties the pools of buffers
		c.collect() // frees what was in them
		c.owed = false
	}
	c.cycles = c.ran()
}

// collectorCycles is how often the garbage collector has run.
func collectorCycles() uint64 {
	sample := []measured.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	measured.Read(sample)
	return sample[0].Value.Uint64()
}
