package store

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// batchLimit bounds how many facts of one kind share one statement.
const batchLimit = 256

// batchWorkers is how many batches of one kind are under way at once: while
// one waits for the server's fsync, the next gathers.
const batchWorkers = 2

// batch groups facts or questions of one kind: what waits goes out together, on
// PostgreSQL in one statement, and each caller gets its own answer after the commit.
type batch[T any] struct {
	waiting chan *batched[T]
	gather  time.Duration // how long the first waits for others
	run     func(ctx context.Context, items []T) []error
	reads   bool // nothing is done, so who leaves need not learn whether it was
	working sync.WaitGroup
	mu      sync.RWMutex // guards closing against sends
	closed  bool
}

type batched[T any] struct {
	item   T
	until  time.Time // the caller's patience ends
	answer chan error
}

func startBatch[T any](run func(ctx context.Context, items []T) []error) *batch[T] {
	return startBatchOf(&batch[T]{run: run}, batchWorkers)
}

func startBatchOf[T any](b *batch[T], workers int) *batch[T] {
	b.waiting = make(chan *batched[T], batchLimit)
	for range workers {
		b.working.Go(b.loop)
	}
	return b
}

// do hands an item over and waits for its outcome, for as long as the caller
// has patience.
func (b *batch[T]) do(ctx context.Context, item T) error {
	bounded, done := bound(ctx)
	defer done()
	until, _ := bounded.Deadline()
	entry := &batched[T]{item: item, until: until, answer: make(chan error, 1)}
	b.mu.RLock()
	if b.closed {
		b.mu.RUnlock()
		return errClosed
	}
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
	if b.reads {
		return reported(ctx, bounded.Err())
	}
	if ctx.Err() != nil {
		return explainFrozen(<-entry.answer) // the caller may have left, but what was begun is to be known
	}
	return reported(ctx, errors.Join(errUnknown, bounded.Err()))
}

// batchTime is what one try of a batch gets.
const batchTime = 2 * time.Second

// errSlow tells of a try that was given up.
var errSlow = errors.New("there was no answer in time")

// insist is again for a batch, each try of which gets its time. repeated tells
// that a try before may have been done without an answer.
func insist(ctx context.Context, try func(ctx context.Context, repeated bool) error) error {
	repeated := false
	return again(ctx, func() error {
		once, cancel := context.WithTimeout(ctx, batchTime)
		defer cancel()
		err := try(once, repeated)
		if err != nil && once.Err() != nil && ctx.Err() == nil {
			err = errors.Join(errSlow, err)
		}
		repeated = repeated || isLost(err)
		return err
	})
}

func (b *batch[T]) loop() {
	for first := range b.waiting {
		runtime.Gosched() // those who are about to hand one over do so: the statement is theirs too
		group := []*batched[T]{first}
		if b.gather > 0 {
			time.Sleep(b.gather)
		}
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
	until := time.Now().Add(batchTime)
	for i, entry := range group {
		items[i] = entry.item
		if entry.until.After(until) {
			until = entry.until
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	errs := b.run(ctx, items)
	for i, entry := range group {
		if errs[i] != nil && len(group) > 1 && !isAway(errs[i]) {
			errs[i] = b.run(ctx, items[i:i+1])[0]
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

// batches are the hot facts, and the hot questions.
type batches struct {
	sessionsFound      *batch[*sessionQuestion]
	credentialsFound   *batch[*credentialQuestion]
	sessionsCreated    *batch[*sessionRow]
	sessionsAdvanced   *batch[*sessionRow]
	deliveriesFinished *batch[*finishedDelivery]
}

func startBatches(engine *postgresEngine) *batches {
	grouped := &batches{
		sessionsFound: startBatch(func(ctx context.Context, questions []*sessionQuestion) []error {
			return findSessions(ctx, engine, questions)
		}),
		credentialsFound: startBatch(func(ctx context.Context, questions []*credentialQuestion) []error {
			return findCredentials(ctx, engine, questions)
		}),
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
	grouped.sessionsFound.reads, grouped.credentialsFound.reads = true, true
	return grouped
}

func (b *batches) stop() {
	b.sessionsFound.stop()
	b.credentialsFound.stop()
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
