package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// guarded is the number of connections at which ratios are held.
const guarded = 64

// slack is how far below the recorded ratio a run may fall: a tenth.
const slack = 0.9

// tell writes what was asked for: the report, the record, and how this run
// compares with an earlier record.
func (s *stage) tell(ctx context.Context) error {
	var all error
	if s.options.report != "" {
		all = errors.Join(all, putReport(s.options.report, s.report(ctx)))
	}
	if s.options.record != "" {
		all = errors.Join(all, s.record())
	}
	if s.options.check != "" {
		all = errors.Join(all, s.check())
	}
	return all
}

// ratios are those of this run at the guarded number of connections, by
// operation and engine.
func (s *stage) ratios() map[string]float64 {
	ratios := map[string]float64{}
	for _, c := range s.cells {
		if c.Connections == guarded && c.Side != bare && c.Ratio > 0 {
			ratios[c.Operation+" "+c.Side] = c.Ratio
		}
	}
	return ratios
}

func (s *stage) record() error {
	text, err := json.Marshal(s.ratios(), json.Deterministic(true), jsontext.WithIndent("\t"))
	if err != nil {
		return fmt.Errorf("record the ratios: %w", err)
	}
	if err := os.WriteFile(s.options.record, append(text, '\n'), 0o644); err != nil { //nolint:gosec // a document
		return fmt.Errorf("record the ratios: %w", err)
	}
	return nil
}

// check fails when a ratio is a tenth below the recorded one.
func (s *stage) check() error {
	text, err := os.ReadFile(s.options.check)
	if err != nil {
		return fmt.Errorf("read the recorded ratios: %w", err)
	}
	var recorded map[string]float64
	if err := json.Unmarshal(text, &recorded); err != nil {
		return fmt.Errorf("read the recorded ratios: %w", err)
	}
	return fallen(recorded, s.ratios())
}

// fallen names every recorded ratio that a run has not come near.
func fallen(recorded, now map[string]float64) error {
	var all error
	checked := 0
	for name, before := range recorded {
		after, measured := now[name]
		if !measured {
			continue
		}
		checked++
		if after < slack*before {
			all = errors.Join(all, fmt.Errorf("%s: ratio %.2f, recorded %.2f", name, after, before))
		}
	}
	if checked == 0 {
		return errors.New("nothing that is recorded was measured")
	}
	return all
}

// Between these a document holds the last report.
const (
	reportBegins = "<!-- the last run of make bench -->\n"
	reportEnds   = "<!-- its end -->\n"
)

// putReport writes a report in the place of the one that a document holds, or into a
// file of its own.
func putReport(path, report string) error {
	document, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write the report: %w", err)
	}
	text, err := withReport(string(document), report)
	if err != nil {
		return fmt.Errorf("write the report into %s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // a document
}

// withReport returns the document with the report in it; of an empty one, the report.
func withReport(document, report string) (string, error) {
	before, rest, begins := strings.Cut(document, reportBegins)
	_, after, ends := strings.Cut(rest, reportEnds)
	switch {
	case document == "":
		return report, nil
	case !begins || !ends:
		return "", errors.New("it holds something else, and has no place for one")
	}
	return before + reportBegins + report + reportEnds + after, nil
}

// report is the table in Markdown, with what it was measured on.
func (s *stage) report(ctx context.Context) string {
	var text strings.Builder
	fmt.Fprintf(&text, "Measured on %s, %s: %d rounds of %s each, medians, every side in turn.\n\n",
		time.Now().UTC().Format(time.DateOnly), machine(ctx), s.options.rounds, s.options.duration)
	text.WriteString("| operation | connections | side | a second | slowest to fastest round | p50 | p99 | CPU | allocations | disk flushes | ratio |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range s.cells {
		ratio := ""
		if c.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f", c.Ratio)
		}
		fmt.Fprintf(&text, "| %s | %d | %s | %.0f | %.0f to %.0f | %s | %s | %s | %.0f | %.3f | %s |\n", titleOf(c.Operation), c.Connections,
			c.Side, c.PerSecond, c.Low, c.High, millis(c.P50), millis(c.P99), c.CPU.Round(100*time.Nanosecond), c.Mallocs, c.Flushes, ratio)
	}
	return text.String()
}

// titleOf returns an operation as the table calls it.
func titleOf(name string) string {
	list := operations()
	if i := slices.IndexFunc(list, func(op operation) bool { return op.name == name }); i >= 0 {
		return list[i].title
	}
	return map[string]string{"link": "whole sandbox link", "webhook": "webhook delivery, durable"}[name]
}

// millis is a time in milliseconds; nothing when it was not measured.
func millis(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// machine describes what this runs on.
func machine(ctx context.Context) string {
	processor := "an unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				processor = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores of %s, %s, %s, %s, SQLite by modernc.org/sqlite %s, commit %s", runtime.NumCPU(), processor,
		said(ctx, "uname", "-sr"), runtime.Version(), said(ctx, "psql", "--version"), moduleVersion("modernc.org/sqlite"),
		said(ctx, "git", "rev-parse", "--short", "HEAD"))
}

// moduleVersion is the version of a module that this is built of.
func moduleVersion(path string) string {
	built, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	i := slices.IndexFunc(built.Deps, func(module *debug.Module) bool { return module.Path == path })
	if i < 0 {
		return "unknown"
	}
	return built.Deps[i].Version
}

// said is what a command prints, or unknown.
func said(ctx context.Context, name string, arguments ...string) string {
	text, err := exec.CommandContext(ctx, name, arguments...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}
