// Package jobs runs what happens in the background: claim, run, back off,
// stop. A Loop takes due items from a queue that others share and runs them
// side by side; a Ticker repeats one small duty. Both have a life with a name,
// a Start and a Stop that drains.
//
//	        Wake, or Poll has passed                          a slot is free
//	sleep ──────────────────────────▶ claim (≤ free slots) ──▶ run, run, run
//	  ▲                                │   │          ▲          │ slots come back
//	  └── fewer than asked for ────────┘   │          └──────────┘ as many as asked for
//	                                       └─ error: back off 100 ms, 200 ms … 5 s
//
// A queue outlives the loop: an item that is cut short is found again by
// whoever claims when its lease is over, so items must bear being run twice.
package jobs

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	defaultPoll  = time.Second
	claimTimeout = 30 * time.Second // a claim that takes longer counts as an error
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// Config says what a Loop claims and runs. Claim and Run are required.
type Config[T any] struct {
	Name string // as the log calls it

	// Claim takes at most limit due items and hides them from other claimers
	// for as long as a Run may last. Items beside an error are ignored. Only
	// one Claim runs at a time.
	Claim func(ctx context.Context, limit int) ([]T, error)

	// Run does one item and records how it ended. Its ctx ends only when a Stop
	// has lost patience. A panic is logged and ends nothing but this item.
	Run func(ctx context.Context, item T)

	// Gap is the least time from the beginning of a claim to that of the next:
	// claims for one item at a time cost more than they bring. Zero: none.
	Gap time.Duration

	Concurrency int              // items that run at once; zero: 1
	Poll        time.Duration    // the longest sleep without a Wake, give or take 10 %; zero: 1 s
	Log         *slog.Logger     // nil: nothing is logged
	Now         func() time.Time // nil: time.Now
	Random      io.Reader        // for the jitter; nil: crypto/rand
}

// Loop claims items and runs them until it is stopped.
type Loop[T any] struct {
	config Config[T]
	life   life
	wake   chan struct{} // holds one: wakes coalesce
	slots  chan struct{} // holds the free ones
	runs   sync.WaitGroup
	trail  streak
}

// New returns a Loop that has not started. It panics when Claim or Run is
// missing.
func New[T any](config Config[T]) *Loop[T] {
	if config.Claim == nil || config.Run == nil {
		panic("jobs: a loop needs a Claim and a Run")
	}
	if config.Poll <= 0 {
		config.Poll = defaultPoll
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Random == nil {
		config.Random = rand.Reader
	}
	config.Concurrency = max(config.Concurrency, 1)
	loop := &Loop[T]{
		config: config,
		life:   newLife(config.Name),
		wake:   make(chan struct{}, 1),
		slots:  make(chan struct{}, config.Concurrency),
		trail:  streak{log: config.Log, now: config.Now, name: config.Name},
	}
	loop.give(config.Concurrency)
	return loop
}

// Start begins to claim, at once, and returns. The end of ctx ends the claiming
// but cuts nothing short: that is left to Stop. A second Start, or one after
// Stop, does nothing.
func (l *Loop[T]) Start(ctx context.Context) { l.life.start(ctx, l.work) }

// Stop claims nothing more and waits for what runs. When ctx ends first, what
// still runs has its ctx cancelled and gets five more seconds to put itself in
// order; Stop then returns an error that wraps the one of ctx.
func (l *Loop[T]) Stop(ctx context.Context) error { return l.life.stop(ctx) }

// Wake tells that there may be something to claim. It never blocks. What was
// committed before the Wake is seen by a Claim that begins after it.
func (l *Loop[T]) Wake() {
	select {
	case l.wake <- struct{}{}:
	default: // one is pending already
	}
}

// work is the loop itself. It returns when the life is over and nothing runs.
func (l *Loop[T]) work(ctx context.Context) {
	defer l.runs.Wait()
	backoff := firstBackoff
	var claimed time.Time
	for {
		if early := l.config.Gap - time.Since(claimed); early > 0 && !l.life.pause(early, nil) {
			return
		}
		free := l.take()
		if free == 0 {
			return
		}
		claimed = time.Now()
		select {
		case <-l.wake: // the claim that follows answers it
		default:
		}
		items, err := l.claim(ctx, free)
		if err != nil {
			l.give(free)
			l.trail.failed("claim", err)
			if !l.life.pause(backoff, nil) {
				return
			}
			backoff = min(2*backoff, lastBackoff)
			continue
		}
		l.trail.succeeded("claim")
		backoff = firstBackoff
		l.run(ctx, items, free)
		if len(items) < free && !l.life.pause(jitter(l.config.Random, l.config.Poll), l.wake) {
			return
		}
	}
}

// take waits for a free slot and takes every one there is; zero means that the
// life is over.
func (l *Loop[T]) take() int {
	select {
	case <-l.slots:
	case <-l.life.ending:
		return 0
	}
	if l.life.over() {
		return 0
	}
	taken := 1
	for {
		select {
		case <-l.slots:
			taken++
		default:
			return taken
		}
	}
}

// give puts free slots back.
func (l *Loop[T]) give(slots int) {
	for range slots {
		l.slots <- struct{}{}
	}
}

// claim asks for at most limit items, within its time. A panic is an error.
func (l *Loop[T]) claim(ctx context.Context, limit int) (items []T, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("claim panicked: %s", describePanic(cause))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	return l.config.Claim(ctx, limit)
}

// run starts every item, each in a slot of its own: first the held ones, which
// it gives back when there are fewer items, then, for a claim that took more
// than it was allowed, whichever comes free.
func (l *Loop[T]) run(ctx context.Context, items []T, held int) {
	l.give(max(held-len(items), 0))
	for i, item := range items {
		if i >= held {
			select {
			case <-l.slots:
			case <-ctx.Done():
				return
			}
		}
		l.runs.Go(func() { l.runOne(ctx, item) })
	}
}

// runOne runs an item and frees its slot, whatever happens.
func (l *Loop[T]) runOne(ctx context.Context, item T) {
	defer l.give(1)
	defer func() {
		if cause := recover(); cause != nil {
			logPanic(ctx, l.config.Log, l.config.Name, cause)
		}
	}()
	l.config.Run(ctx, item)
}
