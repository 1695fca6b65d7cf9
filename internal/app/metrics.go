package app

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	vmetrics "github.com/VictoriaMetrics/metrics"
)

// buckets are the upper bounds of the request histogram, in seconds.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30}

// metrics are what an operator watches.
type metrics struct {
	set    *vmetrics.Set
	series sync.Map // series → *vmetrics.PrometheusHistogram
}

type series struct {
	pattern string
	status  int
}

func newMetrics() *metrics { return &metrics{set: vmetrics.NewSet()} }

// observe counts a finished request. The route is the pattern, never the path,
// which could hold a secret and would have no end of values.
func (m *metrics) observe(pattern string, status int, took time.Duration) {
	if pattern == "" {
		pattern = "none"
	}
	key := series{pattern, status}
	histogram, known := m.series.Load(key)
	if !known {
		name := fmt.Sprintf("latchkey_request_seconds{route=%q,status=\"%d\"}", pattern, status)
		histogram = m.set.GetOrCreatePrometheusHistogramExt(name, buckets)
		m.series.Store(key, histogram)
	}
	histogram.(*vmetrics.PrometheusHistogram).Update(took.Seconds())
}

// Metrics answers GET /metrics in the Prometheus text format, for a listener
// of its own.
func (a *App) Metrics() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		a.metrics.set.WritePrometheus(w)
		vmetrics.WriteProcessMetrics(w)
	})
	return mux
}
