package simtest

import (
	"sync"
	"sync/atomic"
	"testing"
)

// tally counts what was played and what came of it, to see that the worlds were
// not too tame to break anything.
type tally struct {
	played, broken atomic.Int64
	mu             sync.Mutex
	seen           map[string]int
}

// add counts a world that is over.
func (c *tally) add(w *world) {
	c.played.Add(1)
	if w.violation != nil {
		c.broken.Add(1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	for _, act := range w.scenario.Acts {
		c.seen[string(act.Kind)]++
	}
	c.seen["sessions begun"] += len(w.journal.sessions)
	c.seen["connections made"] += len(w.journal.connections)
	c.seen["events committed"] += len(w.journal.events)
	c.seen["calls made"] += len(w.journal.calls)
	c.seen["calls that reached the bank"] += w.bank.called
	c.seen["refreshes"] += len(w.bank.used)
	c.seen["replicas started"] += len(w.ever)
	for _, connection := range w.journal.connections {
		if !connection.endedAt.IsZero() {
			c.seen["ends acknowledged"]++
		}
	}
	for _, exchange := range w.bank.used {
		if exchange.lost || !exchange.kept {
			c.seen["refreshes that were lost"]++
		}
	}
	for _, organisation := range w.organisations {
		if !organisation.revokedAt.IsZero() {
			c.seen["keys revoked"]++
		}
	}
}

// judge fails the test when something never happened.
func (c *tally) judge(t *testing.T) {
	t.Helper()
	t.Logf("%d seeds with %v", c.played.Load(), c.seen)
	must := []string{
		"sessions begun", "connections made", "events committed", "calls that reached the bank", "refreshes",
		"refreshes that were lost", "ends acknowledged", "keys revoked",
	}
	for _, kind := range kinds {
		must = append(must, string(kind))
	}
	for _, what := range must {
		if c.seen[what] == 0 {
			t.Errorf("of %q there was nothing", what)
		}
	}
}
