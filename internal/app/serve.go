package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"latchkey/internal/web"
)

// The patience of the HTTP server.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10 // bytes
	drainTimeout  = 20 * time.Second
)

// Listen opens the configured address. Do it before New when the port is 0, to
// know the URLs.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

// Serve answers on the listener, and on the metrics listener if there is one,
// until ctx ends; then it takes no more requests, lets those under way finish
// for up to 20 seconds, and closes everything. ready is called when it is
// about to answer.
func (a *App) Serve(ctx context.Context, listener net.Listener, ready func()) error {
	servers := []*http.Server{a.server(a.Handler())}
	listeners := []net.Listener{listener}
	if a.config.MetricsListen != "" {
		metrics, err := Listen(ctx, a.config.MetricsListen)
		if err != nil {
			return errors.Join(err, listener.Close(), a.Stop(ctx))
		}
		servers, listeners = append(servers, a.server(a.Metrics())), append(listeners, metrics)
	}
	failed := make(chan error, len(servers))
	for i, server := range servers {
		go func() { failed <- server.Serve(web.Strict(listeners[i])) }()
	}
	a.Start(context.WithoutCancel(ctx))
	ready()
	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	for _, server := range servers {
		if err := server.Shutdown(draining); err != nil {
			cause = errors.Join(cause, err, server.Close())
		}
	}
	return errors.Join(cause, a.Stop(draining))
}

func (a *App) server(handler http.Handler) *http.Server {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(a.parts.Log.Handler(), slog.LevelDebug),
	}
	server.RegisterOnShutdown(a.endStreams)
	return server
}

// endStreams lets the pages that wait for changes go: they ask the next
// replica.
func (a *App) endStreams() { a.left.Do(func() { close(a.leaving) }) }

// Address returns the configured address of the API and the pages.
func (a *App) Address() string { return a.config.Listen }
