package glewlwydtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const (
	starting = 20 * time.Second // how long the server may take to answer
	stopping = 5 * time.Second  // how long it may take to end before it is killed
	attempts = 3                // to find a port that stays free
)

// Server is a running Glewlwyd. It listens on loopback, by plain HTTP.
type Server struct {
	URL string // scheme, host and port

	admin   *http.Client
	log     *output
	schemes []string // second factors that are wanted, one of them
}

// errEnded is returned when the server ended before it answered, as it does
// when somebody else took its port.
var errEnded = errors.New("glewlwyd ended before it answered")

// Start runs a server of the test's own and stops it when the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	binary, err := exec.LookPath("glewlwyd")
	if err != nil {
		t.Fatal("no glewlwyd in PATH: apt-get install glewlwyd")
	}
	folder := t.TempDir()
	database := filepath.Join(folder, "glewlwyd.db")
	if err := createDatabase(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	for attempt := 1; ; attempt++ {
		server, err := start(t, binary, folder, database)
		if err == nil {
			if err := server.logIn(t.Context()); err != nil {
				t.Fatal(err)
			}
			return server
		}
		if !errors.Is(err, errEnded) || attempt == attempts {
			t.Fatal(err)
		}
	}
}

// start runs one server on a port that was free a moment ago.
func start(t testing.TB, binary, folder, database string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	configuration := filepath.Join(folder, "glewlwyd.conf")
	if err := os.WriteFile(configuration, configure(port, database), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	server := &Server{URL: "http://127.0.0.1:" + strconv.Itoa(port), log: &output{}}
	command := exec.Command(binary, "--config-file="+configuration)
	command.Stdout, command.Stderr = server.log, server.log
	command.Dir = folder
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start glewlwyd: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // how it ended is in its log
		close(ended)
	}()
	t.Cleanup(func() {
		stop(command.Process, ended)
		if t.Failed() {
			t.Logf("glewlwyd's log:\n%s", server.log)
		}
	})
	return server, server.await(t.Context(), ended)
}

// await polls until the server answers.
func (s *Server) await(ctx context.Context, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, starting)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return fmt.Errorf("%w:\n%s", errEnded, s.log)
		case <-ctx.Done():
			return fmt.Errorf("glewlwyd does not answer: %w\n%s", ctx.Err(), s.log)
		case <-tick.C:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/config", nil)
		if err != nil {
			return fmt.Errorf("build a request: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK && bytes.Contains(s.log.Bytes(), []byte("started on port")) {
			return nil
		}
	}
}

// stop ends the process.
func stop(process *os.Process, ended <-chan struct{}) {
	_ = process.Signal(syscall.SIGTERM) // it may have ended already
	timer := time.NewTimer(stopping)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		_ = process.Kill()
		<-ended
	}
}

// freePort returns a loopback port nobody listens on.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("look for a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
