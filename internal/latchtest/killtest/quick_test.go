package killtest

import (
	"context"
	"log/slog"
	"os"
	"time"

	"latchkey/internal/app"
	"latchkey/internal/egress"
)

// envServe tells this test's binary to be the server of that configuration, in
// place of a test.
const envServe = "KILLTEST_SERVE"

// In the quick server a minute passes in two seconds: what waits for days in the
// field waits for hours, and a lease is over soon. It takes webhooks to loopback.
const (
	speed       = 30
	hookTimeout = 300 * time.Millisecond
)

// quickly is the time of day, the same in every process.
func quickly() time.Time {
	begin := time.Now().Truncate(24 * time.Hour)
	return begin.Add(speed * time.Since(begin))
}

// serveQuickly is `latchkey serve` in a quick world.
func serveQuickly(path string) error {
	config, err := app.ReadConfig(path)
	if err != nil {
		return err
	}
	config.Development = true
	ctx := context.Background()
	listener, err := app.Listen(ctx, config.Listen)
	if err != nil {
		return err
	}
	latch, err := app.New(ctx, config, app.Parts{
		Now: quickly, Log: slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Outside: func(outside egress.Config) egress.Config {
			outside.Timeouts.Webhook = hookTimeout
			return outside
		},
	})
	if err != nil {
		return err
	}
	return latch.Serve(ctx, listener, func() {})
}
