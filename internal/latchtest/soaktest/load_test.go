package soaktest

import (
	"context"
	"sync"
	"testing"
	"time"
)

// load lets users link at a steady pace, so many at once, until it is ended.
type load struct {
	app    *app
	cancel context.CancelFunc
	users  sync.WaitGroup
}

// begin starts the load: each of so many users begins a link every so often.
func (a *app) begin(t testing.TB, users int, every time.Duration) *load {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	l := &load{app: a, cancel: cancel}
	for range users {
		l.users.Go(func() {
			pace := time.NewTicker(every)
			defer pace.Stop()
			for ctx.Err() == nil {
				_ = a.link(ctx) // counted by the app
				select {
				case <-pace.C:
				case <-ctx.Done():
				}
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

// end lets nobody begin anew, cuts short what is under way and waits.
func (l *load) end() {
	l.cancel()
	l.users.Wait()
	client.CloseIdleConnections()
}

// await waits until so many more writes have been acknowledged.
func (a *app) await(t testing.TB, writes int) {
	t.Helper()
	before, _, _, _, _ := a.ledger.counts()
	eventually(t, "writes were acknowledged", func() bool {
		now, _, _, _, _ := a.ledger.counts()
		return now >= before+writes
	})
}
