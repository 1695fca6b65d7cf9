package app

import (
	"context"
	"log/slog"
	"sync"
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

	mu     sync.Mutex
	at     time.Time     // what time it was
	since  time.Duration // when elapsed was this
	shared bool          // the database decides
	behind bool          // the machine's clock was set back, and that was said
}

// newClock begins with the machine's time.
func newClock(wall func() time.Time, log *slog.Logger) *clock {
	began := time.Now()
	c := &clock{wall: wall, elapsed: func() time.Duration { return time.Since(began) }, log: log}
	c.at, c.since = wall().Round(0), c.elapsed()
	return c
}

// Now returns the time.
func (c *clock) Now() time.Time {
	wall := c.wall().Round(0) // without its monotonic part
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.at.Add(c.elapsed() - c.since)
	if c.shared {
		return now
	}
	if wall.After(now) {
		c.at, c.since, c.behind = wall, c.elapsed(), false
		return wall
	}
	if now.Sub(wall) > clockSlack && !c.behind {
		c.behind = true
		c.log.Error("the machine's clock was set back: time goes on from where it was until a restart", "by", now.Sub(wall))
	}
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
	if trip := answered - asked; c.shared && trip > clockTrip {
		return nil // the one before is better
	}
	at := answer.Add((answered - asked) / 2)
	if off := c.at.Add(answered - c.since).Sub(at); off.Abs() > clockSlack {
		c.log.Warn("the time is the database's, from which it was off", "by", off)
	}
	c.at, c.since, c.shared = at, answered, true
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
