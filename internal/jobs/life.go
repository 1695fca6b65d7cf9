package jobs

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// stopGrace is what cancelled work gets to put itself in order before Stop
// gives up waiting for it.
const stopGrace = 5 * time.Second

// life is the one start and the one end of something in the background.
//
//	new ──start──▶ body runs ──stop, or the end of start's ctx──▶ ending ──body returns──▶ ended
type life struct {
	name   string
	ending chan struct{} // closed: begin nothing new
	ended  chan struct{} // closed: nothing runs any more

	mu     sync.Mutex
	begun  bool
	closed bool
	cancel context.CancelFunc // cuts short what runs
}

func newLife(name string) life {
	return life{name: name, ending: make(chan struct{}), ended: make(chan struct{})}
}

// start runs body with a ctx that has the values of ctx, but ends only when a
// stop has lost patience.
func (l *life) start(ctx context.Context, body func(ctx context.Context)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun || l.closed {
		return
	}
	l.begun = true
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	detach := context.AfterFunc(ctx, l.end)
	go func() {
		defer close(l.ended)
		defer cancel()
		defer detach()
		body(work)
	}()
}

// end lets nothing new begin.
func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.ending)
	}
}

// stop ends the life and waits for the body, which loses its ctx when this ctx
// ends.
func (l *life) stop(ctx context.Context) error {
	l.end()
	l.mu.Lock()
	begun, cancel := l.begun, l.cancel
	l.mu.Unlock()
	if !begun {
		return nil
	}
	select {
	case <-l.ended:
		return nil
	case <-ctx.Done():
	}
	cancel()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-l.ended:
		return fmt.Errorf("stop %s: work was cut short: %w", l.name, ctx.Err())
	case <-grace.C:
		return fmt.Errorf("stop %s: work goes on although cancelled: %w", l.name, ctx.Err())
	}
}

// over reports whether nothing new may begin.
func (l *life) over() bool {
	select {
	case <-l.ending:
		return true
	default:
		return false
	}
}

// pause waits for the time to pass or for a wake (nil: none) and reports
// whether life goes on.
func (l *life) pause(wait time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-l.ending:
	}
	return !l.over()
}
