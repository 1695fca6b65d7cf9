package link

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// How long a provider is left alone that takes us for a machine it does not
// want.
const (
	firstStop = 15 * time.Minute // doubling with each trial that it refuses
	lastStop  = 8 * time.Hour
	trialTime = tryLease // after which a trial that told nothing is another's
)

// errStopped is why nobody asks a provider at the moment.
var errStopped = errors.New("the provider is left alone for a while, since it refuses automated requests")

// breakers stop asking a provider, on this replica, once it has refused to be
// asked. After a while one trial finds out whether it still does.
//
//	closed ──refused──▶ stopped ──time──▶ one trial ──answered──▶ closed
//	                       ▲                 └──refused──┐ twice as long
//	                       └─────────────────────────────┘
type breakers struct {
	now     func() time.Time
	log     *slog.Logger
	changed func(provider string, stopped bool)
	mu      sync.Mutex
	stopped map[string]*stop
}

// stop is a provider that is left alone.
type stop struct {
	until time.Time     // of the stop, or of a trial that is under way
	wait  time.Duration // how long it was
}

// pass lets one caller ask a provider.
type pass struct {
	provider string
	trial    bool // after a stop: what comes of it decides
}

func newBreakers(config Config) *breakers {
	changed := config.Stopped
	if changed == nil {
		changed = func(string, bool) {}
	}
	return &breakers{now: config.Now, log: config.Log, changed: changed, stopped: map[string]*stop{}}
}

// room returns how many of so many may ask the provider now: none while it is
// left alone, and one after that.
func (b *breakers) room(provider string, most int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stopped[provider]
	switch {
	case s == nil:
		return most
	case b.now().Before(s.until):
		return 0
	}
	return min(most, 1)
}

// enter asks whether the provider may be asked now. If it is stopped, until is
// when to come again. Who enters must leave.
func (b *breakers) enter(provider string) (entered pass, until time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	entered.provider = provider
	s := b.stopped[provider]
	if s == nil {
		return entered, until, true
	}
	now := b.now()
	if now.Before(s.until) {
		return entered, s.until, false
	}
	entered.trial, s.until = true, now.Add(trialTime)
	return entered, until, true
}

// leave tells how the provider answered; asked is false when it was perhaps not
// asked at all, which proves nothing.
func (b *breakers) leave(entered pass, err error, asked bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stopped[entered.provider]
	switch {
	case errors.Is(err, connector.ErrBlocked) && s == nil:
		b.stop(entered.provider, firstStop, err)
	case errors.Is(err, connector.ErrBlocked) && entered.trial:
		b.stop(entered.provider, min(2*s.wait, lastStop), err)
	case s == nil || !entered.trial: // not stopped, or under way since before
	case err == nil && asked:
		delete(b.stopped, entered.provider)
		b.log.Info("provider is asked again", "provider", entered.provider)
		b.changed(entered.provider, false)
	default:
		s.until = b.now() // the trial told nothing: the next one may
	}
}

// stop leaves the provider alone from now on, and tells the operator.
func (b *breakers) stop(provider string, wait time.Duration, cause error) {
	until := b.now().Add(wait)
	b.stopped[provider] = &stop{until: until, wait: wait}
	b.log.Error("provider refuses automated requests and is left alone for a while", "provider", provider,
		"until", until, "cause", cause.Error())
	b.changed(provider, true)
}

// answered returns the error of a call without what a provider that works
// answers: that a login failed, or that a credential is dead.
func answered(err error) error {
	_, failed := errors.AsType[*connector.Failure](err)
	if errors.Is(err, connector.ErrBlocked) {
		return err
	}
	if failed || errors.Is(err, connector.ErrDead) || latchkey.CodeOf(err) == latchkey.SessionExpired {
		return nil
	}
	return err
}
