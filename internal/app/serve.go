package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"latchkey/internal/web"
)

// The patience of the HTTP server.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10 // bytes
	// drainTimeout is what requests and background work get to finish; then the
	// latter has five seconds to put itself in order: 19 in all.
	drainTimeout = 14 * time.Second
	// failedTimeout is the same when the disk has failed.
	failedTimeout = time.Second
	maxDrainDelay = 10 * time.Second
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
// until ctx ends or the disk fails; then it leaves: within 20 seconds, or at
// once when the disk has failed. ready is called when it is about to answer.
func (a *App) Serve(ctx context.Context, listener net.Listener, ready func()) error {
	RelaxCollector()
	servers := []*http.Server{a.server(a.Handler())}
	listeners := []net.Listener{listener}
	if a.config.MetricsListen != "" {
		metrics, err := Listen(ctx, a.config.MetricsListen)
		if err != nil {
			return errors.Join(err, listener.Close(), a.Stop(ctx))
		}
		servers, listeners = append(servers, a.server(a.Metrics())), append(listeners, metrics)
	}
	ended := make(chan error, len(servers))
	doors := make([]*web.Door, len(listeners))
	for i, server := range servers {
		doors[i] = web.NewDoor(listeners[i])
		doors[i].Attend(server)
		go func() { ended <- server.Serve(web.Strict(doors[i])) }()
	}
	a.Start(context.WithoutCancel(ctx))
	ready()
	var cause error
	patience := drainTimeout
	select {
	case <-ctx.Done():
		a.tellLeaving(servers)
		patience -= a.config.DrainDelay
	case cause = <-ended:
	case cause = <-a.failed:
		patience = failedTimeout
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return errors.Join(cause, a.leave(draining, servers, doors))
}

// tellLeaving says that this process is not to be asked any more, and goes on
// to answer for as long as a load balancer takes to hear it.
func (a *App) tellLeaving(servers []*http.Server) {
	a.endStreams()
	for _, server := range servers {
		server.SetKeepAlivesEnabled(false)
	}
	if a.config.DrainDelay > 0 {
		a.parts.Log.Info("leaving", "closes_in", a.config.DrainDelay)
		time.Sleep(a.config.DrainDelay)
	}
}

// leave takes no more requests, lets requests and background work under way
// finish until ctx ends, cuts what is left short and closes everything.
func (a *App) leave(ctx context.Context, servers []*http.Server, doors []*web.Door) error {
	errs := make([]error, len(servers)+1)
	var leaving sync.WaitGroup
	for i, server := range servers {
		leaving.Go(func() {
			doors[i].LastCall(ctx)
			if err := server.Shutdown(ctx); err != nil {
				errs[i] = errors.Join(fmt.Errorf("requests were cut short: %w", err), server.Close())
			}
		})
	}
	leaving.Go(func() { errs[len(servers)] = a.stopLoops(ctx) })
	leaving.Wait()
	return errors.Join(append(errs, a.close(context.WithoutCancel(ctx)))...)
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

// isLeaving reports whether the process is about to end.
func (a *App) isLeaving() bool {
	select {
	case <-a.leaving:
		return true
	default:
		return false
	}
}

// Address returns the configured address of the API and the pages.
func (a *App) Address() string { return a.config.Listen }
