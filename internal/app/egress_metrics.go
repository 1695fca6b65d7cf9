package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"latchkey/internal/egress"
)

// The figures of the exits.
var (
	exitUp = prometheus.NewDesc("latchkey_exit_up", "Whether the exit is used: 1, or 0 while it is down.",
		[]string{"exit", "country"}, nil)
	exitTunnels = prometheus.NewDesc("latchkey_exit_tunnels_total", "Connections that were opened through the exit.",
		[]string{"exit", "country"}, nil)
	exitFailures = prometheus.NewDesc("latchkey_exit_failures_total", "Failures of the exit itself, checks among them.",
		[]string{"exit", "country"}, nil)
)

// exitMetrics are read when they are asked for.
type exitMetrics struct{ *egress.Egress }

// Describe tells what there is.
func (exitMetrics) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- exitUp
	descriptions <- exitTunnels
	descriptions <- exitFailures
}

// Collect reads the exits.
func (e exitMetrics) Collect(metrics chan<- prometheus.Metric) {
	for _, exit := range e.Exits() {
		labels := []string{exit.Name, exit.Country}
		up := 0.0
		if exit.Up {
			up = 1
		}
		metrics <- prometheus.MustNewConstMetric(exitUp, prometheus.GaugeValue, up, labels...)
		metrics <- prometheus.MustNewConstMetric(exitTunnels, prometheus.CounterValue, float64(exit.Tunnels), labels...)
		metrics <- prometheus.MustNewConstMetric(exitFailures, prometheus.CounterValue, float64(exit.Failures), labels...)
	}
}
