package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey/internal/app"
	"latchkey/internal/connector"
)

// latchkeySettings say what a measured Latchkey works with.
type latchkeySettings struct {
	Data        string `json:"data"`
	DatabaseURL string `json:"databaseUrl,omitzero"` // empty: SQLite in Data
	Upstream    string `json:"upstream"`             // of the provider behind the proxy
	Listen      string `json:"listen"`
}

// serveLatchkey is the whole of Latchkey as `latchkey serve` runs it, with the
// trial's sandbox in it and without bounds on how much one key may ask. The log
// is written, and thrown away by the system.
func serveLatchkey(ctx context.Context, text string) error {
	var settings latchkeySettings
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	sink, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = sink.Close() }()
	log, err := app.NewLog(app.Config{}, sink)
	if err != nil {
		return err
	}
	listener, err := app.Listen(ctx, settings.Listen)
	if err != nil {
		return err
	}
	latch, err := app.New(ctx, app.Config{
		Listen: listener.Addr().String(), Data: settings.Data, DatabaseURL: settings.DatabaseURL, Development: true,
		Limits: app.Limits{KeyPerMinute: -1, MissesPerAddress: -1, AttemptsPerAddress: -1, AttemptsPerAccount: -1},
	}, app.Parts{Log: log, Connectors: []connector.Connector{provider{settings.Upstream}}})
	if err != nil {
		return err
	}
	if _, err := latch.Trial(ctx); err != nil {
		return err
	}
	app.RelaxCollector() // as app.Serve does
	latch.Start(ctx)
	served := serveUntilEOF(ctx, listener, &http.Server{Handler: latch.Handler(), ReadHeaderTimeout: 10 * time.Second})
	return errors.Join(served, latch.Stop(ctx))
}
