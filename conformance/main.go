// Command conformance checks a running server of the Link v2 API from outside:
// one row for each statement of the wire contract, judged by what comes over
// the wire and by nothing else. It imports nothing of the server.
//
//	flags ─▶ target (URLs, key, client apps, sink of webhooks)
//	           └─▶ rows, some at once ─▶ suite: calls, pages, hooks ─▶ verdicts ─▶ table
//
//	go run ./conformance --url http://127.0.0.1:8080 --key sk_sandbox_…
//
// The exit status is 0 when no row failed, 1 when one did, and 2 when nothing
// could be checked.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
)

// options are what the command line says.
type options struct {
	url      string
	linkURL  string
	key      string
	only     string
	core     bool
	long     bool
	json     bool
	parallel int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command is main with its exit status.
func command(ctx context.Context, args []string, out, complaints io.Writer) int {
	given, err := readOptions(args, complaints)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintf(complaints, "conformance: %v\n", err)
		return 2
	}
	rows, err := selectRows(allRows(), given)
	if err == nil {
		var verdicts []verdict
		if verdicts, err = judgeAll(ctx, given, rows); err == nil {
			return report(out, verdicts, given.json)
		}
	}
	_, _ = fmt.Fprintf(complaints, "conformance: %v\n", err)
	return 2
}

// readOptions reads the command line.
func readOptions(args []string, complaints io.Writer) (options, error) {
	var given options
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.StringVar(&given.url, "url", "http://127.0.0.1:8080", "where the API is")
	flags.StringVar(&given.linkURL, "link-url", "", "where the hosted pages are; default: --url")
	flags.StringVar(&given.key, "key", "", "a sandbox key with every scope: sk_sandbox_…")
	flags.StringVar(&given.only, "only", "", "sections or ids, separated by commas: §2,4.proxy")
	flags.BoolVar(&given.core, "core", false, "leave out what the contract adds to the original API")
	flags.BoolVar(&given.long, "long", false, "also the rows that take longer than a minute")
	flags.BoolVar(&given.json, "json", false, "print JSON instead of a table")
	flags.IntVar(&given.parallel, "parallel", 8, "rows at once")
	if err := flags.Parse(args); err != nil {
		return given, err
	}
	if flags.NArg() > 0 {
		return given, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if given.linkURL == "" {
		given.linkURL = given.url
	}
	for _, base := range []*string{&given.url, &given.linkURL} {
		*base = strings.TrimSuffix(*base, "/")
		if parsed, err := url.Parse(*base); err != nil || parsed.Host == "" {
			return given, errors.New("--url and --link-url must be like http://127.0.0.1:8080")
		}
	}
	if given.key == "" {
		return given, errors.New("--key is needed: a sandbox key with every scope")
	}
	if given.parallel < 1 {
		return given, errors.New("--parallel must be at least 1")
	}
	return given, nil
}
