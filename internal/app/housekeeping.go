package app

import (
	"context"
	"time"

	"latchkey"
	"latchkey/internal/jobs"
	"latchkey/internal/store"
)

// The pace of housekeeping. A step is small, and after it nothing is removed for
// four times as long as it took: the hot path has the database to itself at
// least four fifths of the time.
const (
	housekeepingEvery   = 10 * time.Minute
	housekeepingTimeout = 12 * time.Hour
	tidyBatch           = 200
	tidyRest            = 5 * time.Millisecond
	tidyShare           = 4
	journalEvery        = time.Minute
)

// housekeeping makes the loops that forget what has served its time, and that
// keep the revocation journal whole.
func (a *App) housekeeping() []lifecycle {
	return []lifecycle{
		jobs.NewTicker(jobs.TickerConfig{
			Name: "housekeeping", Every: housekeepingEvery, Timeout: housekeepingTimeout, Log: a.parts.Log, Now: a.parts.Now, Do: a.Tidy,
		}),
		jobs.NewTicker(jobs.TickerConfig{
			Name: "revocation journal", Every: journalEvery, Log: a.parts.Log, Now: a.parts.Now, Do: a.catchUp,
		}),
	}
}

// Tidy removes what is over for longer than it is kept, in small steps, until
// there is nothing left or the process is about to end.
func (a *App) Tidy(ctx context.Context) error {
	for _, duty := range []func(context.Context, time.Time) error{
		a.tidyKeys, a.tidyDeliveries, a.tidyEvents, a.tidySessions, a.tidyAudit,
	} {
		if err := duty(ctx, a.parts.Now()); err != nil {
			return err
		}
	}
	return nil
}

// walk takes steps until one says that it is the last.
func (a *App) walk(ctx context.Context, what string, step func(from int64) (store.Step, error)) error {
	from := int64(0)
	for {
		began := time.Now()
		taken, err := step(from)
		if err != nil {
			return err
		}
		a.metrics.removed.WithLabelValues(what).Add(float64(taken.Removed))
		if taken.Done {
			return nil
		}
		from = taken.Next
		rest := time.NewTimer(max(tidyRest, tidyShare*time.Since(began)))
		select {
		case <-rest.C:
		case <-a.leaving:
			rest.Stop()
			return nil
		case <-ctx.Done():
			rest.Stop()
			return ctx.Err()
		}
	}
}

// tidyKeys forgets inits that can't be asked for again, and tries that count no
// more.
func (a *App) tidyKeys(ctx context.Context, now time.Time) error {
	for what, forget := range map[string]func(context.Context, time.Time, int) (int, error){
		"idempotency_keys": a.store.ForgetIdempotencyKeys, "attempts": a.store.ForgetAttempts, "commit_marks": a.store.ForgetCommitMarks,
	} {
		err := a.walk(ctx, what, func(int64) (store.Step, error) {
			forgotten, err := forget(ctx, now.Add(-24*time.Hour), tidyBatch)
			return store.Step{Removed: int64(forgotten), Done: forgotten < tidyBatch}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *App) tidyDeliveries(ctx context.Context, now time.Time) error {
	before, wanted := a.config.Retention.Deliveries.before(now, retained)
	if !wanted {
		return nil
	}
	return each(ctx, a.store.EndpointIDs, func(endpoint string) error {
		return a.walk(ctx, "deliveries", func(from int64) (store.Step, error) {
			return a.store.RemoveDelivered(ctx, endpoint, before, from, tidyBatch)
		})
	})
}

func (a *App) tidyEvents(ctx context.Context, now time.Time) error {
	before, wanted := a.config.Retention.Events.before(now, retained)
	if !wanted {
		return nil
	}
	return a.walk(ctx, "events", func(from int64) (store.Step, error) {
		return a.store.RemoveEvents(ctx, before, from, tidyBatch)
	})
}

func (a *App) tidySessions(ctx context.Context, now time.Time) error {
	before, wanted := a.config.Retention.Sessions.before(now, retained)
	if !wanted {
		return nil
	}
	return each(ctx, a.store.OrganisationIDs, func(organisation string) error {
		for _, environment := range []latchkey.Environment{latchkey.Sandbox, latchkey.Live} {
			err := a.walk(ctx, "sessions", func(from int64) (store.Step, error) {
				return a.store.RemoveSessions(ctx, organisation, environment, before, from, tidyBatch)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *App) tidyAudit(ctx context.Context, now time.Time) error {
	before, wanted := a.config.Retention.Audit.before(now, forever)
	if !wanted {
		return nil
	}
	return each(ctx, a.store.OrganisationIDs, func(organisation string) error {
		for lane := range store.AuditLanes {
			err := a.walk(ctx, "audit", func(int64) (store.Step, error) {
				return a.store.RemoveAudit(ctx, organisation, lane, before, tidyBatch)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// each calls do with every id that list has, a page at a time.
func each(ctx context.Context, list func(context.Context, string, int) ([]string, error), do func(id string) error) error {
	after := ""
	for {
		page, err := list(ctx, after, tidyBatch)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, id := range page {
			if err := do(id); err != nil {
				return err
			}
		}
		after = page[len(page)-1]
	}
}
