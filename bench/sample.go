package main

import (
	"slices"
	"time"
)

// sample is one measurement of one side.
type sample struct {
	measured
	CPU     time.Duration // of the measured process, by operation
	Mallocs float64       // of it, by operation
	Flushes float64       // of all disks, by operation
}

// cell is what the rounds of an operation, a side and a number of connections
// came to.
type cell struct {
	Operation   string        `json:"operation"`
	Side        string        `json:"side"` // bare, sqlite or postgres
	Connections int           `json:"connections"`
	PerSecond   float64       `json:"perSecond"`
	Low         float64       `json:"low"` // the slowest round
	High        float64       `json:"high"`
	P50         time.Duration `json:"-"`
	P99         time.Duration `json:"-"`
	CPU         time.Duration `json:"-"`
	Mallocs     float64       `json:"mallocs"`
	Flushes     float64       `json:"flushes"`
	Ratio       float64       `json:"ratio"` // to the bare side; 0: there is none
}

// summarize takes the median of each figure.
func summarize(operation, side string, connections int, samples []sample) cell {
	rates := column(samples, func(s sample) float64 { return s.PerSecond })
	return cell{
		Operation: operation, Side: side, Connections: connections,
		PerSecond: median(rates), Low: slices.Min(rates), High: slices.Max(rates),
		P50:     time.Duration(median(column(samples, func(s sample) float64 { return float64(s.P50) }))),
		P99:     time.Duration(median(column(samples, func(s sample) float64 { return float64(s.P99) }))),
		CPU:     time.Duration(median(column(samples, func(s sample) float64 { return float64(s.CPU) }))),
		Mallocs: median(column(samples, func(s sample) float64 { return s.Mallocs })),
		Flushes: median(column(samples, func(s sample) float64 { return s.Flushes })),
	}
}

func column(samples []sample, of func(sample) float64) []float64 {
	var list []float64
	for _, s := range samples {
		list = append(list, of(s))
	}
	return list
}

// median returns the middle of a list that is not empty.
func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
