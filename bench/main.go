// Command bench measures Latchkey against a bare net/http server that takes
// and gives the same bytes and keeps nothing, in one run on one machine.
//
//	bench ─┬─▶ baseline          bare net/http, bare ReverseProxy, bare signed POSTs
//	       ├─▶ Latchkey, SQLite      each a process of its own: this binary in another role
//	       ├─▶ Latchkey, PostgreSQL
//	       └─▶ upstream          the provider behind the proxy, and the receiver of webhooks
//	wrk (one thread) drives each in turn, round by round; medians and ratios are told
//
// It needs Debian's wrk and PostgreSQL: `make deps`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// options are what the command line says.
type options struct {
	rounds      int
	duration    time.Duration // of one measurement
	connections []int
	operations  string // names to measure, separated by commas; empty: all
	engines     string // sqlite, postgres or both, separated by a comma
	report      string // file to write; empty: none
	record      string // file of ratios to write; empty: none
	check       string // file of ratios to hold this run against; empty: none
	rows        int    // sessions and connections that are in the database before
	overdue     int    // sessions that the server has to expire meanwhile
	profile     string // folder for CPU profiles; empty: none
	growth      []int  // numbers of rows to measure with, one after the other; none: one run
	curves      string // folder for the drawings of the growth; empty: none
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	role := flag.String("role", "", "what this process is; the command starts itself in other roles")
	settings := flag.String("settings", "", "of the role, as JSON")
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of every measurement")
	flag.DurationVar(&o.duration, "duration", 3*time.Second, "of one measurement")
	connections := flag.String("connections", "1,16,64,256", "how many connections send at once")
	flag.StringVar(&o.operations, "operations", "", "names of operations, separated by commas; empty: all")
	flag.StringVar(&o.engines, "engines", "sqlite,postgres", "databases")
	flag.StringVar(&o.report, "report", "", "Markdown file to write")
	flag.StringVar(&o.record, "record", "", "file to write the ratios to")
	flag.StringVar(&o.check, "check", "", "file of ratios: fail when one is 10 % below")
	flag.IntVar(&o.rows, "rows", 0, "sessions and connections in the database before the measurements")
	flag.IntVar(&o.overdue, "overdue", 0, "sessions that the server has to expire while it is measured")
	flag.StringVar(&o.profile, "profile", "", "folder for CPU profiles, one an operation and engine")
	growth := flag.String("growth", "", "numbers of rows, such as 0,1000000: measures with each in turn")
	flag.StringVar(&o.curves, "curves", "", "folder to draw the growth in")
	flag.Parse()
	var err error
	if *growth != "" {
		o.growth, err = numbers(*growth, 0)
	}
	if err == nil {
		o.connections, err = numbers(*connections, 1)
	}
	if err == nil {
		err = run(ctx, *role, *settings, o)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, role, settings string, o options) error {
	switch role {
	case "":
		if o.growth != nil {
			return grow(ctx, o)
		}
		return compare(ctx, o)
	case roleLatchkey:
		return serveLatchkey(ctx, settings)
	case roleBaseline:
		return serveBaseline(ctx, settings)
	case roleUpstream:
		return serveUpstream(ctx)
	}
	return fmt.Errorf("there is no role %q", role)
}

// numbers reads a list such as 1,16,64 of numbers that are not below least.
func numbers(text string, least int) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(text, ",") {
		number, err := strconv.Atoi(part)
		if err != nil || number < least {
			return nil, fmt.Errorf("%q is not a list of numbers such as 1,16,64", text)
		}
		list = append(list, number)
	}
	return list, nil
}
