package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// bare is the name of the side that everything is compared with.
const bare = "bare"

// stage is what a run has started.
type stage struct {
	options  options
	upstream *child
	baseline *child
	targets  []*target
	linked   atomic.Int64 // accounts that have been linked
	cells    []cell
}

// compare starts every side, drives each in turn, and tells the figures.
func compare(ctx context.Context, o options) (err error) {
	s := &stage{options: o}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.run(ctx); err != nil {
		return err
	}
	if o.overdue > 0 {
		if err := s.tellOverdue(ctx); err != nil {
			return err
		}
	}
	return s.tell(ctx)
}

// tellOverdue prints how many of the overdue sessions have expired by now.
func (s *stage) tellOverdue(ctx context.Context) error {
	for _, t := range s.targets {
		var left int
		err := t.filled(func(f *filler) (err error) {
			left, err = f.countOverdue(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("count what is overdue on %s: %w", t.engine, err)
		}
		fmt.Printf("%s: %d of %d sessions have expired meanwhile\n", t.engine, s.options.overdue-left, s.options.overdue)
	}
	return nil
}

// run starts every side and measures the operations that were asked for.
func (s *stage) run(ctx context.Context) error {
	o := s.options
	if err := s.start(ctx); err != nil {
		return err
	}
	for _, op := range operations() {
		if !o.measures(op.name) {
			continue
		}
		for _, connections := range o.connections {
			if err := s.measure(ctx, op, connections); err != nil {
				return fmt.Errorf("%s with %d connections: %w", op.name, connections, err)
			}
		}
	}
	if o.measures("webhook") { // before the links, whose events it would deliver too
		if err := s.measureDeliveries(ctx); err != nil {
			return fmt.Errorf("webhooks: %w", err)
		}
	}
	if o.measures("link") {
		if err := s.measureLinks(ctx); err != nil {
			return fmt.Errorf("whole links: %w", err)
		}
	}
	return nil
}

// measures reports whether an operation was asked for.
func (o options) measures(name string) bool {
	return o.operations == "" || slices.Contains(strings.Split(o.operations, ","), name)
}

func (s *stage) start(ctx context.Context) (err error) {
	if s.upstream, err = startChild(ctx, "upstream", roleUpstream, struct{}{}); err != nil {
		return err
	}
	for engine := range strings.SplitSeq(s.options.engines, ",") {
		started, err := startTarget(ctx, engine, s.upstream.url, s.options)
		if err != nil {
			return err
		}
		s.targets = append(s.targets, started)
	}
	pages, err := s.targets[0].record(ctx)
	if err != nil {
		return err
	}
	s.baseline, err = startChild(ctx, "bare server", roleBaseline, settingsOf(s.targets[0], pages, s.upstream.url))
	return err
}

func (s *stage) stop() error {
	var all error
	for _, t := range s.targets {
		all = errors.Join(all, t.close())
	}
	for _, c := range []*child{s.baseline, s.upstream} {
		if c != nil {
			all = errors.Join(all, c.stop())
		}
	}
	return all
}

// measure drives the sides in turn, round by round, so that whatever else the
// machine does meets them all.
func (s *stage) measure(ctx context.Context, op operation, connections int) error {
	sides := map[string][]sample{}
	for round := range s.options.rounds + 1 { // the first warms up
		length := s.options.duration
		if round == 0 {
			length = time.Second
		}
		got, err := s.drive(ctx, s.baseline, op.bare(s.targets[0]), connections, length)
		if err != nil {
			return fmt.Errorf("the bare server: %w", err)
		}
		sides[bare] = append(sides[bare], got)
		for _, t := range s.targets {
			profiled := s.profile(ctx, t, op.name, connections, round)
			got, err := s.drive(ctx, t.child, op.latchkey(t), connections, length)
			if err = errors.Join(err, <-profiled, t.look(ctx)); err != nil {
				return fmt.Errorf("%s: %w", t.engine, err)
			}
			sides[t.engine] = append(sides[t.engine], got)
		}
	}
	s.keep(op.name, connections, sides)
	return nil
}

// drive runs wrk against a child and takes what that cost the child.
func (s *stage) drive(ctx context.Context, c *child, script string, connections int, length time.Duration) (sample, error) {
	return costs(ctx, c, func() (measured, error) { return runWrk(ctx, c.url, script, connections, length) })
}

// costs takes what work costs a child.
func costs(ctx context.Context, c *child, work func() (measured, error)) (sample, error) {
	before, err := c.used(ctx)
	if err != nil {
		return sample{}, err
	}
	flushed := flushes()
	got, err := work()
	if err != nil {
		return sample{}, err
	}
	flushed = flushes() - flushed
	after, err := c.used(ctx)
	if err != nil {
		return sample{}, err
	}
	count := max(1, got.Count)
	return sample{
		measured: got, CPU: time.Duration((after.CPU - before.CPU) / int64(count)),
		Mallocs: float64(after.Mallocs-before.Mallocs) / float64(count),
		Flushes: float64(flushed) / float64(count),
	}, nil
}

// keep summarizes the rounds of every side, but the first, and prints them.
func (s *stage) keep(operation string, connections int, sides map[string][]sample) {
	var base float64
	for _, side := range []string{bare, "sqlite", "postgres"} {
		samples := sides[side]
		if len(samples) < 2 {
			continue
		}
		c := summarize(operation, side, connections, samples[1:])
		switch {
		case side == bare:
			base = c.PerSecond
		case base > 0:
			c.Ratio = c.PerSecond / base
		}
		s.cells = append(s.cells, c)
		fmt.Printf("%-10s %3d %-8s %9.0f/s (%.0f to %.0f)  p50 %8v  p99 %8v  CPU %6v  allocations %6.1f  flushes %.3f  ratio %.2f\n",
			operation, connections, side, c.PerSecond, c.Low, c.High, c.P50.Round(time.Microsecond), c.P99.Round(time.Microsecond),
			c.CPU.Round(100*time.Nanosecond), c.Mallocs, c.Flushes, c.Ratio)
	}
}

func (s *stage) measureLinks(ctx context.Context) error {
	const connections = 64
	sides := map[string][]sample{}
	for round := range s.options.rounds + 1 {
		for _, t := range s.targets {
			profiled := s.profile(ctx, t, "link", connections, round)
			got, err := costs(ctx, t.child, func() (measured, error) {
				return runLinks(ctx, t, &s.linked, connections, s.options.duration)
			})
			if err = errors.Join(err, <-profiled); err != nil {
				return fmt.Errorf("%s: %w", t.engine, err)
			}
			sides[t.engine] = append(sides[t.engine], got)
		}
	}
	s.keep("link", connections, sides)
	return nil
}

func (s *stage) measureDeliveries(ctx context.Context) error {
	size, err := deliverySize(ctx, s.targets[0])
	if err != nil {
		return err
	}
	sides := map[string][]sample{}
	for round := range s.options.rounds + 1 {
		count := 0
		for _, t := range s.targets {
			profiled := s.profile(ctx, t, "webhook", 64, round)
			got, err := costs(ctx, t.child, func() (measured, error) { return runDeliveries(ctx, t, s.upstream.url) })
			if err = errors.Join(err, <-profiled); err != nil {
				return fmt.Errorf("%s: %w", t.engine, err)
			}
			sides[t.engine], count = append(sides[t.engine], got), max(count, got.Count)
		}
		got, err := costs(ctx, s.baseline, func() (measured, error) {
			return runBareDeliveries(ctx, s.baseline, s.upstream.url, count, size)
		})
		if err != nil {
			return fmt.Errorf("the bare loop: %w", err)
		}
		sides[bare] = append(sides[bare], got)
	}
	s.keep("webhook", 64, sides)
	return nil
}

// profile takes a CPU profile of the target during the last round, when a
// folder for profiles is given. The channel tells when it is written.
func (s *stage) profile(ctx context.Context, t *target, operation string, connections, round int) <-chan error {
	written := make(chan error, 1)
	if s.options.profile == "" || round != s.options.rounds {
		written <- nil
		return written
	}
	path := filepath.Join(s.options.profile, fmt.Sprintf("%s-%s-%d.pprof", operation, t.engine, connections))
	go func() { written <- saveProfile(ctx, t.child.probe, path, s.options.duration) }()
	return written
}

func saveProfile(ctx context.Context, probe, path string, length time.Duration) error {
	request, err := newGet(ctx, probe+"/profile?for="+length.String())
	if err != nil {
		return err
	}
	text, err := do(request)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
