package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// measured is what one run of a load generator saw.
type measured struct {
	PerSecond float64       // answers
	P50, P99  time.Duration // from request to answer
	Count     int           // answers
}

// wrk's own words at the end of a run, made by the script that writeScript adds.
var finished = regexp.MustCompile(`(?m)^measured (\d+) (\d+) (\S+) (\S+) (\d+) (\d+)$`)

// report is the end of every script: counts, microseconds, and what failed.
const report = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("measured %d %d %.1f %.1f %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end
`

// runWrk drives a server with one thread for the time and fails when a single
// answer was an error.
func runWrk(ctx context.Context, url, script string, connections int, length time.Duration) (measured, error) {
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return measured{}, fmt.Errorf("folder of the script: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "load.lua")
	if err := os.WriteFile(path, []byte(script+report), 0o600); err != nil {
		return measured{}, fmt.Errorf("write the script: %w", err)
	}
	output, err := exec.CommandContext(ctx, "wrk", "-t1", "-c"+strconv.Itoa(connections), //nolint:gosec // our own words
		"-d"+strconv.Itoa(max(1, int(length.Seconds())))+"s", "--timeout", "10s", "-s", path, url).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return measured{}, errors.New("wrk is missing: make deps")
	}
	if err != nil {
		return measured{}, fmt.Errorf("wrk: %w: %s", err, output)
	}
	return parseWrk(string(output))
}

func parseWrk(output string) (measured, error) {
	found := finished.FindStringSubmatch(output)
	if found == nil {
		return measured{}, fmt.Errorf("wrk says %q", output)
	}
	var numbers [6]float64
	for i := range numbers {
		number, err := strconv.ParseFloat(found[i+1], 64)
		if err != nil {
			return measured{}, fmt.Errorf("wrk says %q: %w", found[0], err)
		}
		numbers[i] = number
	}
	if numbers[4]+numbers[5] > 0 {
		return measured{}, fmt.Errorf("%.0f answers were errors and %.0f requests failed", numbers[4], numbers[5])
	}
	microseconds := func(number float64) time.Duration { return time.Duration(number * float64(time.Microsecond)) }
	return measured{
		PerSecond: numbers[0] / microseconds(numbers[1]).Seconds(), Count: int(numbers[0]),
		P50: microseconds(numbers[2]), P99: microseconds(numbers[3]),
	}, nil
}

// luaRequest is a script that sends one request again and again.
func luaRequest(method, path string, header map[string]string, body string) string {
	var script strings.Builder
	fmt.Fprintf(&script, "wrk.method = %q\nwrk.path = %q\n", method, path)
	if body != "" {
		fmt.Fprintf(&script, "wrk.body = %s\n", luaText(body))
	}
	for name, value := range header {
		fmt.Fprintf(&script, "wrk.headers[%q] = %s\n", name, luaText(value))
	}
	return script.String()
}

// luaText is a text as a Lua string that takes every byte as it is.
func luaText(text string) string { return "[==[" + text + "]==]" }
