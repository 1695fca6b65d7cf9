package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// patience is how long a row may take beyond what it says it takes.
const patience = 40 * time.Second

// outcome is how a row ended.
type outcome string

// The outcomes.
const (
	passed        outcome = "passed"
	failed        outcome = "failed"
	notApplicable outcome = "not applicable"
)

// verdict is the outcome of one row.
type verdict struct {
	row     row
	outcome outcome
	seen    string // what was seen instead, or why it does not apply; no secrets
	took    time.Duration
}

// judgeAll checks the rows, some at once, and returns their verdicts in the
// order of the rows.
func judgeAll(ctx context.Context, given options, rows []row) ([]verdict, error) {
	t, err := newTarget(ctx, given)
	if err != nil {
		return nil, err
	}
	defer t.close()
	verdicts := make([]verdict, len(rows))
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(one, other int) int { return cmp.Compare(rows[other].takes, rows[one].takes) })
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(given.parallel, len(rows)) {
		workers.Go(func() {
			for i := range next {
				verdicts[i] = t.judge(rows[i])
			}
		})
	}
	for _, i := range order {
		next <- i
	}
	close(next)
	workers.Wait()
	return verdicts, ctx.Err()
}

// judge checks one row and cleans up after it.
func (t *target) judge(r row) verdict {
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.ctx, r.takes+patience)
	defer cancel()
	s := &suite{target: t, ctx: ctx, verdict: verdict{row: r, outcome: passed}}
	s.perform(func() { r.check(s) })
	s.verdict.took = time.Since(began)
	ruled := s.verdict
	tidy, stop := context.WithTimeout(t.ctx, patience)
	defer stop()
	s.ctx = tidy
	for _, undo := range slices.Backward(s.undo) {
		s.perform(undo) // what it says no longer counts
	}
	return ruled
}
