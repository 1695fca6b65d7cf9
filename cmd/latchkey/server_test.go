package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// patience is how long a server may take to get ready or to end.
const patience = 30 * time.Second

// server is a running latchkey.
type server struct {
	command  *exec.Cmd
	out, err *transcript
	url      string
	ready    readyLine // of dev --json
	ended    chan struct{}
	cause    error // how it ended, once ended is closed
}

// launch starts the binary in a folder and returns when it is ready to serve.
// When it ends before, the server is returned with the error.
func launch(folder string, args ...string) (*server, error) {
	s := &server{out: newTranscript(), err: newTranscript(), ended: make(chan struct{})}
	s.command = exec.Command(built, args...)
	s.command.Dir, s.command.Stdout, s.command.Stderr = folder, s.out, s.err
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.cause = s.command.Wait()
		close(s.ended)
	}()
	select {
	case line := <-s.out.ready:
		return s, s.readJSON(line)
	case line := <-s.err.ready:
		return s, s.readLog(line)
	case <-s.ended:
		return s, fmt.Errorf("it ended before it was ready: %w", errors.Join(s.cause, errors.New(s.err.String())))
	case <-time.After(patience):
		s.kill()
		return s, errors.New("it did not get ready: " + s.err.String())
	}
}

// readJSON takes the ready line of dev --json.
func (s *server) readJSON(line string) error {
	if err := json.Unmarshal([]byte(line), &s.ready); err != nil {
		return fmt.Errorf("ready line %q: %w", line, err)
	}
	s.url = s.ready.APIURL
	return nil
}

// readLog takes the log's word that serve is ready.
func (s *server) readLog(line string) error {
	var event struct {
		Address string `json:"address"`
	}
	if err := json.Unmarshal([]byte(line), &event); err != nil || event.Address == "" {
		return fmt.Errorf("ready event %q: %w", line, err)
	}
	s.url = "http://" + event.Address
	return nil
}

// stop sends SIGTERM and returns how the server ended: nil with status 0.
func (s *server) stop() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return s.wait()
}

// wait returns how the server ended.
func (s *server) wait() error {
	select {
	case <-s.ended:
		return s.cause
	case <-time.After(patience):
		s.kill()
		return errors.New("it did not end: " + s.err.String())
	}
}

// kill ends the server in any case.
func (s *server) kill() {
	_ = s.command.Process.Kill()
	<-s.ended
}

// startDev starts latchkey dev on a free port in a folder that is made, and
// ends it with the test.
func startDev(t *testing.T, folder string) *server {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := launch(folder, "dev", "--json", "--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return s
}

// transcript keeps what is written, and tells of the first line that says
// ready.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan string
	seen  int // bytes of whole lines that were looked at
	told  bool
}

func newTranscript() *transcript { return &transcript{ready: make(chan string, 1)} }

// Write appends, and looks at the lines that are now whole.
func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = t.text.Write(p)
	for {
		line, _, whole := bytes.Cut(t.text.Bytes()[t.seen:], []byte("\n"))
		if !whole {
			return len(p), nil
		}
		t.seen += len(line) + 1
		if says := string(line); !t.told && (strings.Contains(says, `"ready":true`) || strings.Contains(says, `"msg":"ready"`)) {
			t.told = true
			t.ready <- says
		}
	}
}

// String returns all that was written.
func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
