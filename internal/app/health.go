package app

import (
	"context"
	"net/http"
	"time"
)

// readyTimeout is how long the database may take to answer a probe.
const readyTimeout = 2 * time.Second

// registerHealth adds the probes. They say yes or no and nothing else.
func (a *App) registerHealth() {
	a.router.Public("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writePlain(w, http.StatusOK, "alive\n")
	}))
	a.router.Public("GET /readyz", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.isLeaving() {
			writePlain(w, http.StatusServiceUnavailable, "leaving\n")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := a.store.Ping(ctx); err != nil {
			a.parts.Log.ErrorContext(ctx, "not ready", "error", err)
			writePlain(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
		writePlain(w, http.StatusOK, "ready\n")
	}))
}

func writePlain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
