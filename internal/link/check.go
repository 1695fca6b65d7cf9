package link

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

const (
	checkLease     = 60 * time.Second // after which somebody else may check
	firstCheckWait = time.Minute      // after the first failure; doubling up to the interval
)

// ClaimChecks takes live connections that are due to be asked after: first
// those of which a refresh was cut short, then those whose time has come, as
// many of each provider as its budget has room for. A provider that is left
// alone gets none, and after that one at first.
func (l *Links) ClaimChecks(ctx context.Context, limit int) ([]latchkey.DueCheck, error) {
	now := l.config.Now()
	providers, interrupted, err := l.config.Checks.DueChecks(ctx, l.config.Providers, now)
	if err != nil {
		return nil, err
	}
	var claimed []latchkey.DueCheck
	if interrupted {
		if claimed, err = l.config.Checks.ClaimInterrupted(ctx, now, limit, checkLease); err != nil {
			return nil, err
		}
	}
	for _, provider := range providers {
		room := l.breakers.room(provider, min(limit-len(claimed), l.paces.room(provider)))
		if room <= 0 {
			continue
		}
		due, err := l.config.Checks.ClaimChecks(ctx, provider, now, room, checkLease)
		if err != nil {
			return claimed, err
		}
		l.paces.spend(provider, len(due))
		claimed = append(claimed, due...)
	}
	return claimed, nil
}

// CheckConnection asks the provider whether a claimed connection is still good.
// One that is dead expires, with the reason; any other answer but yes leaves it
// as it is, to be asked again sooner than usual.
func (l *Links) CheckConnection(ctx context.Context, check latchkey.DueCheck) {
	connection := check.Connection
	entered, until, ok := l.breakers.enter(connection.Provider)
	if !ok {
		l.finishCheck(ctx, check, latchkey.CheckOutcome{NextAt: until, Failures: max(1, check.Failures)})
		return
	}
	confirmed, err := l.config.Check(ctx, connection)
	l.breakers.leave(entered, answered(err), confirmed || err != nil)
	now, every := l.config.Now(), l.checkInterval(connection.Provider)
	switch code := latchkey.CodeOf(err); {
	case err == nil && confirmed:
		l.finishCheck(ctx, check, latchkey.CheckOutcome{CheckedAt: now, NextAt: now.Add(l.jittered(every))})
	case err == nil: // it can't be asked; only its known end is waited for
		l.finishCheck(ctx, check, latchkey.CheckOutcome{})
	case code == latchkey.SessionExpired, code == latchkey.SessionNotProvided:
		return // it has ended, and who ended it has told
	default:
		if !errors.Is(err, connector.ErrBlocked) { // which has been told already
			l.config.Log.LogAttrs(ctx, slog.LevelWarn, "check came to nothing", slog.String("connection", connection.ID),
				slog.Int("failures", check.Failures+1), slog.String("cause", err.Error()))
		}
		wait := min(every, firstCheckWait<<min(check.Failures, 20))
		l.finishCheck(ctx, check, latchkey.CheckOutcome{NextAt: now.Add(l.jittered(wait)), Failures: check.Failures + 1})
	}
}

// checkInterval is how often the provider is asked about each connection.
func (l *Links) checkInterval(provider string) time.Duration {
	if found, ok := l.config.Connector(provider); ok {
		return found.Describe().CheckInterval()
	}
	return connector.Description{}.CheckInterval()
}

func (l *Links) finishCheck(ctx context.Context, check latchkey.DueCheck, outcome latchkey.CheckOutcome) {
	outcome.At = l.config.Now()
	err := l.config.Checks.FinishCheck(context.WithoutCancel(ctx), check, outcome)
	if err != nil { // its lease ends by itself
		l.config.Log.ErrorContext(ctx, "finish check", "connection", check.Connection.ID, "error", err)
	}
}

// Blocked tells that a provider refused to be asked by another room.
func (l *Links) Blocked(provider string, cause error) {
	l.breakers.leave(pass{provider: provider}, cause, true)
}

// jittered returns the time, give or take up to a tenth, so that connections
// that were made together are not asked after together.
func (l *Links) jittered(wait time.Duration) time.Duration {
	var word [8]byte
	if _, err := io.ReadFull(l.config.Random, word[:]); err != nil {
		return wait
	}
	share := float64(binary.BigEndian.Uint64(word[:])>>11) / (1 << 53) // in [0, 1)
	return wait - wait/10 + time.Duration(share*float64(wait)/5)
}
