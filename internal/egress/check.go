package egress

import (
	"context"
	"net"
	"net/netip"
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

// check looks whether the exit works and notes it. That a name can't be
// resolved here is not the exit's fault.
func (t *tunnels) check(ctx context.Context) {
	var to netip.AddrPort
	if t.exit.Check != "" {
		destinations, err := t.resolving.destinations(ctx, t.exit.Check)
		if err != nil {
			t.health.log.WarnContext(ctx, "exit not checked", "cause", err.Error())
			t.health.postpone()
			return
		}
		to = destinations[0]
	}
	conn, err := t.try(ctx, to)
	switch {
	case err != nil && ctx.Err() != nil:
		t.health.postpone()
		return
	case err != nil:
		t.health.missed(err)
		return
	case to.IsValid():
		t.health.succeeded()
	}
	t.health.passed()
	_ = conn.Close()
}

// try opens a tunnel to the address, or goes to the proxy without one.
func (t *tunnels) try(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	if to.IsValid() {
		return t.open(ctx, to)
	}
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	return t.reach(ctx)
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
