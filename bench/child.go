package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
)

// The roles of this binary beside the measuring one.
const (
	roleLatchkey = "latchkey"
	roleBaseline = "baseline"
	roleUpstream = "upstream"
)

// startPatience is how long a child may take to be ready; with millions of rows
// the making of them is not among it.
const startPatience = time.Minute

// child is a process that is measured, or that others are measured against.
type child struct {
	name    string
	url     string // of what it serves
	probe   string // of its own counters
	command *exec.Cmd
	stdin   io.Closer // the child ends when it is closed
}

// readiness is the one line that a child writes when it serves.
type readiness struct {
	URL   string `json:"url"`
	Probe string `json:"probe"`
}

// usage is what a process has used since it started.
type usage struct {
	CPU     int64  `json:"cpu"` // nanoseconds
	Mallocs uint64 `json:"mallocs"`
	Memory  int64  `json:"memory"` // resident, bytes
}

// startChild starts this binary in a role and returns when it serves.
func startChild(ctx context.Context, name, role string, settings any) (*child, error) {
	encoded, err := json.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("settings of %s: %w", name, err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this binary: %w", err)
	}
	command := exec.CommandContext(ctx, self, "-role", role, "-settings", string(encoded)) //nolint:gosec // itself
	command.Stderr = os.Stderr
	if role == roleLatchkey {
		command.Env = append(os.Environ(), "GODEBUG=clobberfree=1") // as `latchkey serve` starts itself
	}
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{name: name, command: command, stdin: stdin}
	patience := time.AfterFunc(startPatience, func() { _ = command.Process.Kill() })
	defer patience.Stop()
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start", name), c.stop())
	}
	var ready readiness
	if err := json.Unmarshal(line, &ready); err != nil {
		return nil, errors.Join(fmt.Errorf("%s says %q: %w", name, line, err), c.stop())
	}
	c.url, c.probe = ready.URL, ready.Probe
	return c, nil
}

// stop ends the child and waits for it.
func (c *child) stop() error {
	_ = c.stdin.Close()
	patience := time.AfterFunc(startPatience, func() { _ = c.command.Process.Kill() })
	defer patience.Stop()
	if err := c.command.Wait(); err != nil {
		return fmt.Errorf("%s ended: %w", c.name, err)
	}
	return nil
}

// used asks the child what it has used.
func (c *child) used(ctx context.Context) (usage, error) {
	var told usage
	err := getJSON(ctx, c.probe+"/usage", &told)
	return told, err
}

// serveUntilEOF serves the handler, and the probe beside it, until standard
// input ends. It is what every child does.
func serveUntilEOF(ctx context.Context, listener net.Listener, server *http.Server) error {
	probe, err := listen(ctx)
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(listener) }()
	go func() { ended <- (&http.Server{Handler: probes(), ReadHeaderTimeout: time.Minute}).Serve(probe) }()
	line, err := json.Marshal(readiness{URL: urlOf(listener), Probe: urlOf(probe)})
	if err != nil {
		return fmt.Errorf("say ready: %w", err)
	}
	fmt.Println(string(line))
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func listen(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return listener, nil
}

func urlOf(listener net.Listener) string { return "http://" + listener.Addr().String() }

// probes answers what the process has used, and profiles it.
func probes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /usage", func(w http.ResponseWriter, _ *http.Request) {
		var spent syscall.Rusage
		var memory runtime.MemStats
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &spent); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		runtime.ReadMemStats(&memory)
		_ = json.MarshalWrite(w, usage{
			CPU:     spent.Utime.Nano() + spent.Stime.Nano(),
			Mallocs: memory.Mallocs, Memory: resident(),
		})
	})
	mux.HandleFunc("GET /profile", func(w http.ResponseWriter, r *http.Request) {
		length, err := time.ParseDuration(r.URL.Query().Get("for"))
		if err == nil {
			err = pprof.StartCPUProfile(w)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		time.Sleep(length)
		pprof.StopCPUProfile()
	})
	return mux
}

// resident reads the memory that the process has in RAM, in bytes; 0 when the
// system does not tell.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// getJSON reads a JSON answer of status 200.
func getJSON(ctx context.Context, url string, into any) error {
	request, err := newGet(ctx, url)
	if err != nil {
		return err
	}
	text, err := do(request)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", url, err)
	}
	return nil
}
