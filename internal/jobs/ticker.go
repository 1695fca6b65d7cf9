package jobs

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"time"
)

const defaultTimeout = time.Minute

// TickerConfig says what a Ticker repeats. Do and Every are required.
type TickerConfig struct {
	Name  string        // as the log calls it
	Every time.Duration // from the end of one Do to the beginning of the next, give or take 10 %

	// Do does the duty once. Every replica calls it: it must bear that. An error
	// or a panic is logged, once in a row of them, and the next turn comes as
	// usual.
	Do func(ctx context.Context) error

	Timeout time.Duration    // of one Do; zero: one minute
	Log     *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // nil: time.Now
	Random  io.Reader        // for the jitter; nil: crypto/rand
}

// Ticker repeats one duty until it is stopped. It never does it twice at once.
type Ticker struct {
	config TickerConfig
	life   life
	trail  streak
}

// NewTicker returns a Ticker that has not started. It panics when Do is missing
// or Every is not positive.
func NewTicker(config TickerConfig) *Ticker {
	if config.Do == nil || config.Every <= 0 {
		panic("jobs: a ticker needs a Do and an Every")
	}
	if config.Timeout <= 0 {
		config.Timeout = defaultTimeout
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
	return &Ticker{
		config: config,
		life:   newLife(config.Name),
		trail:  streak{log: config.Log, now: config.Now, name: config.Name},
	}
}

// Start does the duty at once, in the background, and then at every turn. The
// end of ctx ends the turns but cuts none short: that is left to Stop. A second
// Start, or one after Stop, does nothing.
func (t *Ticker) Start(ctx context.Context) { t.life.start(ctx, t.work) }

// Stop lets a turn that runs finish until ctx ends, then cancels it and gives
// it five more seconds; the error then wraps the one of ctx.
func (t *Ticker) Stop(ctx context.Context) error { return t.life.stop(ctx) }

func (t *Ticker) work(ctx context.Context) {
	for !t.life.over() {
		if err := t.do(ctx); err != nil {
			t.trail.failed("turn", err)
		} else {
			t.trail.succeeded("turn")
		}
		if !t.life.pause(jitter(t.config.Random, t.config.Every), nil) {
			return
		}
	}
}

// do does the duty once, within its time. A panic is an error.
func (t *Ticker) do(ctx context.Context) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panicked: %s", describePanic(cause))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, t.config.Timeout)
	defer cancel()
	return t.config.Do(ctx)
}
