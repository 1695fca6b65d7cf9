package vault

import (
	"context"
	"sync"
)

// turns lets one caller in this process see to a connection while the others
// wait for what comes of it.
type turns struct {
	mu    sync.Mutex
	taken map[string]*turn
}

func newTurns() *turns { return &turns{taken: map[string]*turn{}} }

// turn is one caller's. Its err may be read when it has ended.
type turn struct {
	turns *turns
	id    string
	ended chan struct{}
	err   error
}

// take returns the turn that is under way, or a new one that is the caller's to
// end.
func (t *turns) take(id string) (taken *turn, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if taken = t.taken[id]; taken != nil {
		return taken, false
	}
	taken = &turn{turns: t, id: id, ended: make(chan struct{})}
	t.taken[id] = taken
	return taken, true
}

// end tells those who wait what came of the turn.
func (t *turn) end(err error) {
	t.turns.mu.Lock()
	defer t.turns.mu.Unlock()
	t.err = err
	delete(t.turns.taken, t.id)
	close(t.ended)
}

// wait waits for the end and reports whether it came before that of ctx.
func (t *turn) wait(ctx context.Context) bool {
	select {
	case <-t.ended:
		return true
	case <-ctx.Done():
		return false
	}
}
