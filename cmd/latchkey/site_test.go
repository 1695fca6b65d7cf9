package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// builtSite is the small site of docs/examples/site, built once.
var builtSite = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(built), "site")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, root+"/docs/examples/site").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the site: %w\n%s", err, out)
	}
	return path, nil
})

// runSite runs the site on a free port until the test ends. It returns its URL
// and what it prints: its log, and the text messages that it sends.
func runSite(t testing.TB) (string, *transcript) {
	t.Helper()
	url, printed, stop, err := startSite()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return url, printed
}

// startSite starts the site and returns when it is ready.
func startSite() (url string, printed *transcript, stop func(), err error) {
	path, err := builtSite()
	if err != nil {
		return "", nil, nil, err
	}
	printed = newTranscript()
	command := exec.Command(path, "-listen", "127.0.0.1:0")
	command.Stdout, command.Stderr = printed, printed
	if err := command.Start(); err != nil {
		return "", nil, nil, err
	}
	stop = func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < patience; <-tick.C {
		if _, address, ready := strings.Cut(printed.String(), "the site is at "); ready && strings.Contains(address, "\n") {
			url, _, _ = strings.Cut(address, "\n")
			return url, printed, stop, nil
		}
	}
	stop()
	return "", nil, nil, fmt.Errorf("the site does not start: %s", printed)
}
