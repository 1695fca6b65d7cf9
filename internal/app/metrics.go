package app

import (
	"net/http"
	"strconv"
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
	registry.MustRegister(requests, stopped, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &metrics{registry: registry, requests: requests, stopped: stopped}
}

// observe counts a finished request. The route is the pattern, never the path,
// which could hold a secret and would have no end of values.
func (m *metrics) observe(pattern string, status int, took time.Duration) {
	if pattern == "" {
		pattern = "none"
	}
	m.requests.WithLabelValues(pattern, strconv.Itoa(status)).Observe(took.Seconds())
}

// stop tells whether a provider is left alone.
func (m *metrics) stop(provider string, stopped bool) {
	value := 0.0
	if stopped {
		value = 1
	}
	m.stopped.WithLabelValues(provider).Set(value)
}

// Metrics answers GET /metrics, for a listener of its own.
func (a *App) Metrics() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{}))
	return mux
}
