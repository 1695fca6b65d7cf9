package mediawikitest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	starting = 20 * time.Second // how long the server may take to answer
	stopping = 5 * time.Second  // how long it may take to end before it is killed
	attempts = 3                // to find a port that stays free
)

// Server is a running MediaWiki. It listens on loopback, by plain HTTP.
type Server struct {
	URL string // scheme, host and port

	folder string
	log    *output
}

// errEnded is returned when the server ended before it answered, as it does
// when somebody else took its port.
var errEnded = errors.New("php ended before it answered")

// Start runs a wiki of the test's own and stops it when the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath("php"); err != nil {
		t.Fatal("no php in PATH: apt-get install php-cli php-sqlite3 php-mbstring php-xml php-intl")
	}
	for attempt := 1; ; attempt++ {
		server, err := start(t, t.TempDir())
		if err == nil {
			return server
		}
		if !errors.Is(err, errEnded) || attempt == attempts {
			t.Fatal(err)
		}
	}
}

// CreateUser adds somebody who can log in.
func (s *Server) CreateUser(t testing.TB, username, password string) {
	t.Helper()
	if err := run(t.Context(), s.folder, "createAndPromote.php", username, password); err != nil {
		t.Fatal(err)
	}
}

// start runs one server on a port that was free a moment ago.
func start(t testing.TB, folder string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := install(t.Context(), folder); err != nil {
		return nil, err
	}
	if err := configure(folder, port); err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	server := &Server{URL: "http://" + address, folder: folder, log: &output{}}
	command := exec.Command("php", "-S", address, "-t", program)
	command.Stdout, command.Stderr = server.log, server.log
	command.Dir, command.Env = folder, environment(folder)
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start php: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // how it ended is in its log
		close(ended)
	}()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended already
		timer := time.NewTimer(stopping)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
			_ = command.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("MediaWiki's log:\n%s", server.log)
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
			return fmt.Errorf("MediaWiki does not answer: %w\n%s", ctx.Err(), s.log)
		case <-tick.C:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api.php", nil)
		if err != nil {
			return fmt.Errorf("build a request: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
		return fmt.Errorf("MediaWiki answers with status %d:\n%s", response.StatusCode, s.log)
	}
}

// freePort returns a loopback port nobody listens on.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("look for a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// output collects what the server prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns what was printed so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
