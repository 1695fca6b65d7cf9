package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// batchLimit bounds how many facts of one kind share one statement.
const batchLimit = 256

// batchWorkers is how many batches of one kind are under way at once: while
// one waits for the server's fsync, the next gathers.
const batchWorkers = 2

// batch groups facts of one kind on PostgreSQL: what waits goes out in one
// statement, and each caller gets its own answer after the commit.
type batch[T any] struct {
	waiting chan *batched[T]
	run     func(ctx context.Context, items []T) []error
	working sync.WaitGroup
	mu      sync.RWMutex // guards closing against sends
	closed  bool
}

type batched[T any] struct {
	item   T
	answer chan error
}

func startBatch[T any](run func(ctx context.Context, items []T) []error) *batch[T] {
	b := &batch[T]{waiting: make(chan *batched[T], batchLimit), run: run}
	for range batchWorkers {
		b.working.Go(b.loop)
	}
	return b
}

// do hands an item over and waits for its outcome, for as long as the caller
// has patience.
func (b *batch[T]) do(ctx context.Context, item T) error {
	entry := &batched[T]{item: item, answer: make(chan error, 1)}
	b.mu.RLock()
	if b.closed {
		b.mu.RUnlock()
		return errClosed
	}
	bounded, done := bound(ctx)
	defer done()
	select {
	case b.waiting <- entry:
		b.mu.RUnlock()
	case <-bounded.Done():
		b.mu.RUnlock()
		return reported(ctx, bounded.Err())
	}
	select {
	case err := <-entry.answer:
		return reported(ctx, explainFrozen(err))
	case <-bounded.Done():
	}
	if ctx.Err() != nil {
		return explainFrozen(<-entry.answer) // the caller may have left, but what was begun is to be known
	}
	return reported(ctx, errors.Join(errUnknown, bounded.Err()))
}

// batchTime is what a batch gets: callers are gone by then.
const batchTime = 2 * time.Second

func (b *batch[T]) loop() {
	for first := range b.waiting {
		group := []*batched[T]{first}
		for len(group) < batchLimit {
			next, open := b.poll()
			if !open {
				break
			}
			group = append(group, next)
		}
		b.answer(group)
	}
}

func (b *batch[T]) poll() (*batched[T], bool) {
	select {
	case next, open := <-b.waiting:
		return next, open
	default:
		return nil, false
	}
}

// answer runs the group. When the whole statement fails, each item is tried
// alone, so that one bad item does not fail its neighbours.
func (b *batch[T]) answer(group []*batched[T]) {
	items := make([]T, len(group))
	for i, entry := range group {
		items[i] = entry.item
	}
	errs := b.once(items)
	for i, entry := range group {
		if errs[i] != nil && len(group) > 1 && !isAway(errs[i]) {
			errs[i] = b.once(items[i : i+1])[0]
		}
		entry.answer <- errs[i]
	}
}

// once runs items in the time of a batch.
func (b *batch[T]) once(items []T) []error {
	ctx, cancel := context.WithTimeout(context.Background(), batchTime)
	defer cancel()
	return b.run(ctx, items)
}

func (b *batch[T]) stop() {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		close(b.waiting)
	}
	b.mu.Unlock()
	b.working.Wait()
}

// batches are the hot facts.
type batches struct {
	sessionsCreated    *batch[*sessionRow]
	sessionsAdvanced   *batch[*sessionRow]
	deliveriesFinished *batch[*finishedDelivery]
}

func startBatches(engine *postgresEngine) *batches {
	return &batches{
		sessionsCreated: startBatch(func(ctx context.Context, rows []*sessionRow) []error {
			return createSessions(ctx, engine, rows)
		}),
		sessionsAdvanced: startBatch(func(ctx context.Context, rows []*sessionRow) []error {
			return advanceSessions(ctx, engine, rows)
		}),
		deliveriesFinished: startBatch(func(ctx context.Context, finished []*finishedDelivery) []error {
			return finishDeliveries(ctx, engine, finished)
		}),
	}
}

func (b *batches) stop() {
	b.sessionsCreated.stop()
	b.sessionsAdvanced.stop()
	b.deliveriesFinished.stop()
}

// sameError answers every item of a batch alike.
func sameError(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}
