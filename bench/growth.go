package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// grown is what one size of the database came to.
type grown struct {
	rows  int
	cells []cell
	sizes map[string]size // by engine
}

// grow measures the same with one number of rows after the other in the
// database, each on machines of its own, and draws what becomes of the costs.
func grow(ctx context.Context, o options) error {
	if o.operations == "" { // webhooks would be those of all events at once; what a claim costs beside a million is a test's
		o.operations = "link"
		for _, op := range operations() {
			o.operations += "," + op.name
		}
	}
	var all []grown
	for _, rows := range o.growth {
		one := o
		one.rows = rows
		fmt.Printf("%s sessions, and as many connections\n", thousands(rows))
		s := &stage{options: one}
		if err := errors.Join(s.run(ctx), s.stop()); err != nil {
			return err
		}
		g := grown{rows, s.cells, map[string]size{}}
		for _, t := range s.targets {
			g.sizes[t.engine] = t.size
			fmt.Printf("%s: started in %v, %d MiB idle, %d MiB at most\n", t.engine, t.size.Start, t.size.Idle>>20, t.size.Loaded>>20)
		}
		all = append(all, g)
	}
	fmt.Print(growthTable(all))
	if o.curves == "" {
		return nil
	}
	for engine := range strings.SplitSeq(o.engines, ",") {
		path := filepath.Join(o.curves, "growth-"+engine+".svg")
		if err := os.WriteFile(path, []byte(costCurves(all, engine).svg()), 0o644); err != nil { //nolint:gosec // a picture for everybody
			return fmt.Errorf("draw: %w", err)
		}
	}
	return os.WriteFile(filepath.Join(o.curves, "growth-memory.svg"), []byte(memoryCurves(all).svg()), 0o644) //nolint:gosec // as above
}

// relative is how many times as slow an operation is beside the bare server of
// its own run as it was with the first number of rows.
func relative(first, now cell) float64 {
	if first.Ratio > 0 && now.Ratio > 0 {
		return first.Ratio / now.Ratio
	}
	return first.PerSecond / now.PerSecond // nothing bare is beside it
}

// engineCells are those of an engine, by operation.
func (g grown) engineCells(engine string) map[string]cell {
	found := map[string]cell{}
	for _, c := range g.cells {
		if c.Side == engine && c.Connections == guarded {
			found[c.Operation] = c
		}
	}
	return found
}

// operationsOf lists the operations of an engine that were measured with every number of rows.
func operationsOf(all []grown, engine string) (names []string) {
	for _, c := range all[0].cells {
		everywhere := !slices.ContainsFunc(all, func(g grown) bool { _, ok := g.engineCells(engine)[c.Operation]; return !ok })
		if everywhere && c.Side == engine && !slices.Contains(names, c.Operation) {
			names = append(names, c.Operation)
		}
	}
	return names
}

func stepsOf(all []grown) (steps []string) {
	for _, g := range all {
		steps = append(steps, thousands(g.rows))
	}
	return steps
}

func costCurves(all []grown, engine string) curves {
	drawn := curves{title: "How many times as slow as with an empty database, " + engine, unit: "×", steps: stepsOf(all)}
	for _, name := range operationsOf(all, engine) {
		l := line{name: titleOf(name)}
		for _, g := range all {
			l.values = append(l.values, relative(all[0].engineCells(engine)[name], g.engineCells(engine)[name]))
		}
		drawn.lines = append(drawn.lines, l)
	}
	return drawn
}

func memoryCurves(all []grown) curves {
	drawn := curves{title: "Resident memory of the process", unit: " MiB", steps: stepsOf(all)}
	for _, engine := range []string{"sqlite", "postgres"} {
		if _, measured := all[0].sizes[engine]; !measured {
			continue
		}
		idle, loaded := line{name: engine + ", idle"}, line{name: engine + ", at most"}
		for _, g := range all {
			idle.values = append(idle.values, float64(g.sizes[engine].Idle>>20))
			loaded.values = append(loaded.values, float64(g.sizes[engine].Loaded>>20))
		}
		drawn.lines = append(drawn.lines, idle, loaded)
	}
	return drawn
}

// growthTable tells the same in Markdown.
func growthTable(all []grown) string {
	var text strings.Builder
	text.WriteString("| | engine |")
	for _, step := range stepsOf(all) {
		text.WriteString(" " + step + " |")
	}
	text.WriteString("\n|---|---|" + strings.Repeat("---|", len(all)) + "\n")
	for _, engine := range []string{"sqlite", "postgres"} {
		if _, measured := all[0].sizes[engine]; !measured {
			continue
		}
		for _, name := range operationsOf(all, engine) {
			fmt.Fprintf(&text, "| %s, a second (times as slow) | %s |", titleOf(name), engine)
			for _, g := range all {
				now := g.engineCells(engine)[name]
				fmt.Fprintf(&text, " %.0f (%.2f) |", now.PerSecond, relative(all[0].engineCells(engine)[name], now))
			}
			text.WriteString("\n")
		}
		fmt.Fprintf(&text, "| start | %s |", engine)
		for _, g := range all {
			fmt.Fprintf(&text, " %d ms |", g.sizes[engine].Start.Milliseconds())
		}
		fmt.Fprintf(&text, "\n| resident memory, idle and at most | %s |", engine)
		for _, g := range all {
			fmt.Fprintf(&text, " %d and %d MiB |", g.sizes[engine].Idle>>20, g.sizes[engine].Loaded>>20)
		}
		text.WriteString("\n")
	}
	return text.String()
}

// thousands is a number of rows as people say it.
func thousands(rows int) string {
	switch {
	case rows == 0:
		return "empty"
	case rows%1_000_000 == 0:
		return fmt.Sprintf("%d M", rows/1_000_000)
	case rows%1000 == 0:
		return fmt.Sprintf("%d k", rows/1000)
	}
	return fmt.Sprint(rows)
}
