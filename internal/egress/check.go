package egress

import (
	"context"
	"net"
	"sync"
)

// checksAtOnce bounds how many exits are looked at together.
const checksAtOnce = 16

// CheckExits looks after the exits that are due: those that work every Checks,
// those that are down after a back-off of 1 second to 1 minute. It is to be
// called every second or so.
func (e *Egress) CheckExits(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	slots := make(chan struct{}, checksAtOnce)
	for _, exit := range e.exits.list {
		if !exit.health.isDue() {
			continue
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			exit.tunnels.check(ctx)
		})
	}
}

// check looks whether the exit works and notes it.
func (t *tunnels) check(ctx context.Context) {
	conn, err := t.try(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return
	case err != nil:
		t.health.missed(err)
		return
	case t.exit.Check != "":
		t.health.succeeded()
	}
	t.health.passed()
	_ = conn.Close()
}

// try goes as far as a check is to go.
func (t *tunnels) try(ctx context.Context) (net.Conn, error) {
	if t.exit.Check == "" {
		ctx, cancel := context.WithTimeout(ctx, t.timeout)
		defer cancel()
		return t.reach(ctx)
	}
	destinations, err := t.resolving.destinations(ctx, t.exit.Check)
	if err != nil {
		return nil, err
	}
	return t.open(ctx, destinations[0])
}

// Exits tells how the exits do.
func (e *Egress) Exits() []ExitStatus {
	statuses := make([]ExitStatus, len(e.exits.list))
	for i, exit := range e.exits.list {
		statuses[i] = exit.health.status(exit.Exit)
	}
	return statuses
}

func (h *health) status(exit Exit) ExitStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	return ExitStatus{Exit: exit, Up: !h.down, Tunnels: h.tunnels, Failures: h.failures, Since: h.since}
}
