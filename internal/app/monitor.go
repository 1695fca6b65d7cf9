package app

import (
	"context"
	"maps"
	"slices"
	"time"

	"latchkey"
	"latchkey/internal/jobs"
	"latchkey/internal/link"
)

// The pace of what looks after live connections.
const (
	checksAtOnce = 16
	warnEvery    = time.Minute
	warnBatch    = 100
)

// monitor makes the loops that look after live connections: one asks the
// providers about them, one tells apps of those that are about to end.
func (a *App) monitor() []lifecycle {
	checks := jobs.New(jobs.Config[latchkey.DueCheck]{
		Name: "connection check", Claim: a.links.ClaimChecks, Run: a.links.CheckConnection, Concurrency: checksAtOnce,
		Poll: link.CheckPoll, Log: a.parts.Log, Now: a.parts.Now,
	})
	warnings := jobs.NewTicker(jobs.TickerConfig{
		Name: "expiry warning", Every: warnEvery, Log: a.parts.Log, Now: a.parts.Now,
		Do: func(ctx context.Context) error {
			for {
				warned, err := a.links.WarnExpiring(ctx, warnBatch)
				if err != nil || warned < warnBatch {
					return err
				}
			}
		},
	})
	return []lifecycle{checks, warnings}
}

// served lists the ids of the providers, in the order in which they are asked.
func (a *App) served() []string { return slices.Sorted(maps.Keys(a.connectors)) }
