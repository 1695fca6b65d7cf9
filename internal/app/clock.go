package app

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/internal/jobs"
)

const (
	// clockEvery is how often the database is asked for the time.
	clockEvery = 10 * time.Second
	// clockTrip is how long an answer may take to be worth something.
	clockTrip = time.Second
	// clockSlack is by how much clocks may differ without a word.
	clockSlack = 2 * time.Second
	// clockStep is how far the machine's clock may be ahead before it is followed:
	// who asks for the time does not wait for who does so beside.
	clockStep = time.Millisecond
)

// clock is the time by which lives are counted. Between two looks at who
// decides it goes by the machine's monotonic clock, which nobody can set.
//
// Who decides is the database where replicas share one: their own clocks may
// differ. On a single machine it is the machine, as long as it goes forward: a
// clock that is set back would give what is about to end another life.
type clock struct {
	wall    func() time.Time     // the machine's, which may be set
	elapsed func() time.Duration // since some moment; never set
	log     *slog.Logger

	known atomic.Pointer[knownTime]
	mu    sync.Mutex // held by who changes what is known
}

// knownTime is a moment from which the time goes on.
type knownTime struct {
	at     time.Time     // what time it was
	since  time.Duration // when elapsed was this
	shared bool          // the database decides
	behind bool          // the machine's clock was set back, and that was said
}

// now is the time when elapsed is this.
func (k *knownTime) now(elapsed time.Duration) time.Time { return k.at.Add(elapsed - k.since) }

// holds reports whether the machine's clock changes nothing.
func (k *knownTime) holds(ahead time.Duration) bool {
	return k.shared || ahead <= clockStep && (ahead >= -clockSlack || k.behind)
}

// newClock begins with the machine's time.
func newClock(wall func() time.Time, log *slog.Logger) *clock {
	began := time.Now()
	c := &clock{wall: wall, elapsed: func() time.Duration { return time.Since(began) }, log: log}
	c.known.Store(&knownTime{at: wall().Round(0), since: c.elapsed()})
	return c
}

// Now returns the time.
func (c *clock) Now() time.Time {
	wall, elapsed := c.wall().Round(0), c.elapsed() // without its monotonic part
	known := c.known.Load()
	now := known.now(elapsed)
	if known.holds(wall.Sub(now)) {
		return now
	}
	return c.heed(wall, elapsed)
}

// heed follows the machine's clock on, and says that it was set back.
func (c *clock) heed(wall time.Time, elapsed time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := *c.known.Load()
	now := known.now(elapsed)
	if known.holds(wall.Sub(now)) { // somebody else has
		return now
	}
	if wall.After(now) {
		c.known.Store(&knownTime{at: wall, since: elapsed})
		return wall
	}
	known.behind = true
	c.known.Store(&known)
	c.log.Error("the machine's clock was set back: time goes on from where it was until a restart", "by", now.Sub(wall))
	return now
}

// follow asks the database for the time, which decides from then on.
func (c *clock) follow(ctx context.Context, ask func(context.Context) (time.Time, error)) error {
	asked := c.elapsed()
	answer, err := ask(ctx)
	answered := c.elapsed()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.known.Load()
	if trip := answered - asked; known.shared && trip > clockTrip {
		return nil // the one before is better
	}
	at := answer.Add((answered - asked) / 2)
	if off := known.now(answered).Sub(at); off.Abs() > clockSlack {
		c.log.Warn("the time is the database's, from which it was off", "by", off)
	}
	c.known.Store(&knownTime{at: at, since: answered, shared: true})
	return nil
}

// followDatabase sets the clock by the database, if replicas may share it, and
// returns what goes on to do so.
func (a *App) followDatabase(ctx context.Context, clock *clock) ([]lifecycle, error) {
	if clock == nil || a.config.DatabaseURL == "" {
		return nil, nil
	}
	if err := clock.follow(ctx, a.store.Now); err != nil {
		return nil, err
	}
	return []lifecycle{jobs.NewTicker(jobs.TickerConfig{
		Name: "clock", Every: clockEvery, Log: a.parts.Log, Now: a.parts.Now,
		Do: func(ctx context.Context) error { return clock.follow(ctx, a.store.Now) },
	})}, nil
}
