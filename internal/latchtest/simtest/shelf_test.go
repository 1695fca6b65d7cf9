package simtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"latchkey"
)

// What the database answers when it is in trouble.
var (
	errCrashed     = errors.New("simulated: this replica has crashed")
	errUnreachable = errors.New("simulated: the database can't be reached; nothing was done")
	errLost        = errors.New("simulated: the database's answer was lost; what was asked is done")
)

// shelf is the store as one replica sees it: everything takes its time, a crash
// fences it off, and in bad times calls and answers are lost. It is where the
// planted bugs are.
type shelf struct{ *replica }

// The times that a call takes, each way.
const (
	leastStore = 200 * time.Microsecond
	mostStore  = 3 * time.Millisecond
	badStore   = 3 * time.Second
)

// ask makes a call that returns something. What is in kept is told of it as
// soon as it is done, even if the answer is lost.
func ask[T any](ctx context.Context, s shelf, method, about string, run func(ctx context.Context) (T, error),
	kept ...func(T),
) (T, error) {
	var none, result T
	dice := s.dice.roll(s.name, actorOf(ctx), method, about)
	bad, err := s.enter(ctx, dice)
	if err != nil {
		return none, err
	}
	woken := s.database.do(func() { result, err = run(context.Background()) })
	if err == nil {
		for _, tell := range kept {
			tell(result)
		}
	}
	if woken {
		s.queue.touch()
		s.deliveries.Wake()
	}
	s.noted(s.name, " ", method, " ", about, " ", err)
	s.spring(method)
	if lost := s.leave(dice, bad); lost != nil {
		return none, lost
	}
	return result, err
}

// tell makes a call that returns nothing.
func tell(ctx context.Context, s shelf, method, about string, run func(ctx context.Context) error, kept ...func()) error {
	_, err := ask(ctx, s, method, about, func(ctx context.Context) (struct{}, error) { return struct{}{}, run(ctx) },
		func(struct{}) {
			for _, tell := range kept {
				tell()
			}
		})
	return err
}

// enter is the way to the database. It reports whether times are bad there.
func (s shelf) enter(ctx context.Context, dice *rand.Rand) (bad bool, err error) {
	most := mostStore
	if bad = s.isBad(); bad {
		most = badStore
	}
	if err := nap(ctx, between(dice, leastStore, most)); err != nil {
		return bad, err
	}
	if err := s.standStill(dice); err != nil {
		return bad, err
	}
	if bad && dice.IntN(5) == 0 {
		s.troubled()
		return bad, errUnreachable
	}
	return bad, ctx.Err()
}

// leave is the way back. It is waited for also by who has lost patience, as the
// store does: the outcome must be known.
func (s shelf) leave(dice *rand.Rand, bad bool) error {
	most := mostStore
	if bad {
		most = badStore
	}
	pass(between(dice, leastStore, most))
	if err := s.standStill(dice); err != nil {
		return err
	}
	if bad && dice.IntN(6) == 0 {
		s.troubled()
		return errLost
	}
	return nil
}

// nap waits, unless ctx ends first.
func nap(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// two holds what a call with two results returns.
type two[A, B any] struct {
	a A
	b B
}

// APIKeyByHash finds a key.
func (s shelf) APIKeyByHash(ctx context.Context, hash string) (latchkey.APIKey, latchkey.Organisation, error) {
	found, err := ask(ctx, s, "APIKeyByHash", hash, func(ctx context.Context) (two[latchkey.APIKey, latchkey.Organisation], error) {
		key, organisation, err := s.database.store.APIKeyByHash(ctx, hash)
		return two[latchkey.APIKey, latchkey.Organisation]{key, organisation}, err
	})
	return found.a, found.b, err
}

// RevokeAPIKey ends a key.
func (s shelf) RevokeAPIKey(ctx context.Context, key latchkey.APIKey, at time.Time) error {
	return tell(ctx, s, "RevokeAPIKey", key.ID, func(ctx context.Context) error {
		return s.database.store.RevokeAPIKey(ctx, key.OrganisationID, key.Environment, key.ID, at, latchkey.AuditRecord{
			OrganisationID: key.OrganisationID, Environment: key.Environment, Actor: "operator",
			Action: latchkey.AuditKeyRevoked, Subject: key.ID, Detail: "{}", CreatedAt: at,
		})
	})
}

// RecordAudit appends a record.
func (s shelf) RecordAudit(ctx context.Context, record latchkey.AuditRecord) error {
	return tell(ctx, s, "RecordAudit", record.Subject, func(ctx context.Context) error {
		return s.database.store.RecordAudit(ctx, record)
	})
}

// TakeAttempts counts tries.
func (s shelf) TakeAttempts(ctx context.Context, attempts []latchkey.Attempt) error {
	return tell(ctx, s, "TakeAttempts", "", func(ctx context.Context) error { return s.database.store.TakeAttempts(ctx, attempts) })
}

// ReleaseAttempts forgets tries.
func (s shelf) ReleaseAttempts(ctx context.Context, attempts []latchkey.Attempt) error {
	return tell(ctx, s, "ReleaseAttempts", "", func(ctx context.Context) error { return s.database.store.ReleaseAttempts(ctx, attempts) })
}
