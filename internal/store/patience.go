package store

import (
	"context"
	"sync"
	"time"
)

// unhurried is how long a fact or read may take when nobody waits for it, or
// when its caller can't leave: what a provider has answered must be kept, even
// while another server takes the place of the first.
const unhurried = 30 * time.Second

// patience is what a request has left for the database. What it spends on
// other things, such as a provider, it gets back.
type patience struct {
	full time.Duration
	mu   sync.Mutex
	left time.Duration
	at   time.Time // of left
}

type patienceKey struct{}

// patientContext is a context with the patience of one request.
type patientContext struct {
	context.Context
	patience patience
}

// Value hands out the patience, or what the context around it holds.
func (c *patientContext) Value(key any) any {
	if key == (patienceKey{}) {
		return &c.patience
	}
	return c.Context.Value(key)
}

// WithPatience returns a context for one request. Its facts and reads in a row
// take at most as long together, and then fail with a NETWORK_ERROR, so that
// the caller learns in time to come again.
func WithPatience(ctx context.Context, full time.Duration) context.Context {
	return &patientContext{Context: ctx, patience: patience{full: full, left: full, at: time.Now()}}
}

// begin returns how long the next fact or read may take.
func (p *patience) begin() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return min(p.full, p.left+time.Since(p.at))
}

// end notes when it began.
func (p *patience) end(left time.Duration, began time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = time.Now()
	p.left = max(0, left-p.at.Sub(began))
}

// bound returns a context that ends with the caller's patience, and what must be
// called when the fact or read has ended: it cancels the context too.
func bound(ctx context.Context) (bounded context.Context, done func()) {
	bounded, cancel, spent := bounds(ctx)
	return bounded, func() {
		cancel()
		spent()
	}
}

// bounds is bound, where what was asked for is still read after the waiting.
func bounds(ctx context.Context) (bounded context.Context, cancel context.CancelFunc, spent func()) {
	caller, hurried := ctx.Value(patienceKey{}).(*patience)
	if !hurried || ctx.Done() == nil {
		bounded, cancel = context.WithTimeout(ctx, unhurried)
		return bounded, cancel, func() {}
	}
	left, began := caller.begin(), time.Now()
	bounded, cancel = context.WithTimeout(ctx, left)
	return bounded, cancel, func() { caller.end(left, began) }
}
