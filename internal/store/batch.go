package store

import (
	"context"
	"database/sql"
	"sync"
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

// do hands an item over and waits for its outcome.
func (b *batch[T]) do(ctx context.Context, item T) error {
	entry := &batched[T]{item: item, answer: make(chan error, 1)}
	b.mu.RLock()
	if b.closed {
		b.mu.RUnlock()
		return errClosed
	}
	select {
	case b.waiting <- entry:
		b.mu.RUnlock()
	case <-ctx.Done():
		b.mu.RUnlock()
		return ctx.Err()
	}
	return explainFrozen(<-entry.answer)
}

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
	errs := b.run(context.Background(), items)
	for i, entry := range group {
		if errs[i] != nil && len(group) > 1 {
			errs[i] = b.run(context.Background(), items[i:i+1])[0]
		}
		entry.answer <- errs[i]
	}
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

func startBatches(db *sql.DB) *batches {
	return &batches{
		sessionsCreated: startBatch(func(ctx context.Context, rows []*sessionRow) []error {
			return createSessions(ctx, db, rows)
		}),
		sessionsAdvanced: startBatch(func(ctx context.Context, rows []*sessionRow) []error {
			return advanceSessions(ctx, db, rows)
		}),
		deliveriesFinished: startBatch(func(ctx context.Context, finished []*finishedDelivery) []error {
			return finishDeliveries(ctx, db, finished)
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
