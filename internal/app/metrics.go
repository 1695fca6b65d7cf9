package app

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what an operator watches.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	stopped  *prometheus.GaugeVec
	removed  *prometheus.CounterVec
	behind   prometheus.Gauge

	mu       sync.RWMutex
	observed map[answered]prometheus.Observer // those of requests that there were
}

// answered is how the requests of a route were answered.
type answered struct {
	pattern string
	status  int
}

func newMetrics() *metrics {
	registry := prometheus.NewRegistry()
	requests := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "latchkey_request_seconds", Help: "Time from a request's header to its answer's end, by route and status.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30},
	}, []string{"route", "status"})
	stopped := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "latchkey_provider_stopped", Help: "Whether the provider is left alone since it refuses automated requests: 1 or 0.",
	}, []string{"provider"})
	removed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "latchkey_removed_total", Help: "Rows that were over for longer than they are kept, and were removed.",
	}, []string{"what"})
	behind := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "latchkey_revocation_journal_behind", Help: "Whether the revocation journal lacks something that it could not take: 1 or 0.",
	})
	registry.MustRegister(requests, stopped, removed, behind, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &metrics{registry: registry, requests: requests, stopped: stopped, removed: removed, behind: behind,
		observed: map[answered]prometheus.Observer{}}
}

// observe counts a finished request. The route is the pattern, never the path,
// which could hold a secret and would have no end of values.
func (m *metrics) observe(pattern string, status int, took time.Duration) {
	if pattern == "" {
		pattern = "none"
	}
	key := answered{pattern, status}
	m.mu.RLock()
	observer, ok := m.observed[key]
	m.mu.RUnlock()
	if !ok {
		observer = m.requests.WithLabelValues(pattern, strconv.Itoa(status))
		m.mu.Lock()
		m.observed[key] = observer
		m.mu.Unlock()
	}
	observer.Observe(took.Seconds())
}

// stop tells whether a provider is left alone.
func (m *metrics) stop(provider string, stopped bool) {
	value := 0.0
	if stopped {
		value = 1
	}
	m.stopped.WithLabelValues(provider).Set(value)
}

// journal tells whether the revocation journal has taken what it had to.
func (m *metrics) journal(taken bool) {
	value := 1.0
	if taken {
		value = 0
	}
	m.behind.Set(value)
}

// Metrics answers GET /metrics, for a listener of its own.
func (a *App) Metrics() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{}))
	return mux
}
