package soaktest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// patience is how long something that must happen may take on a busy machine.
const patience = time.Minute

// binary builds the server once, without the race detector: it is what runs in
// the field that is put under strain here.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("latchkey-soaktest-%d", os.Getpid()))
	build := exec.Command("go", "build", "-o", path, "../../../cmd/latchkey")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, output)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if path, err := binary(); err == nil {
		_ = os.Remove(path)
	}
	os.Exit(status)
}

// server is a process on its address, running or not.
type server struct {
	testing.TB
	url, key  string
	arguments []string // of latchkey
	wrapper   []string // a command to run it under
	process   *exec.Cmd
	log       *journal
	exited    chan struct{} // closed when the process is gone
	slowest   time.Duration // from start to ready
}

// journal is a log that may be read while it is written. It keeps its end.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// journalSize bounds what is kept of a log, in bytes.
const journalSize = 64 << 10

// Write appends.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.text.Len() > journalSize {
		j.text.Next(j.text.Len() - journalSize/2)
	}
	return j.text.Write(p)
}

// String returns the end of the log.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// newServer is `latchkey dev` on a folder and an address of its own. It has
// not started.
func newServer(t testing.TB, data string, more ...string) *server {
	t.Helper()
	address := freeAddress(t)
	s := &server{TB: t, url: "http://" + address}
	s.arguments = append([]string{"dev", "--json", "--listen", address, "--data", data}, more...)
	t.Cleanup(s.kill)
	return s
}

// newProduction is `latchkey serve` with the limits, an object of YAML.
func newProduction(t testing.TB, limits string) *server {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	address, folder := freeAddress(t), t.TempDir()
	config := filepath.Join(folder, "latchkey.yaml")
	text := fmt.Sprintf("listen: %s\ndata: %s\nlog_level: error\nlimits: %s\n", address, folder, limits)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), path, "setup", "--config", config, "--organisation", "Acme",
		"--name", "Shop", "--domain", "shop.example", "--redirect-uri", "http://127.0.0.1/callback",
		"--permission", "profile:read=to greet you").CombinedOutput()
	if err != nil {
		t.Fatalf("setup: %v\n%s", err, output)
	}
	s := &server{TB: t, url: "http://" + address, arguments: []string{"serve", "--config", config}}
	s.key = string(regexp.MustCompile(`sk_sandbox_[0-9A-Za-z]+`).Find(output))
	t.Cleanup(s.kill)
	return s
}

// freeAddress returns where nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// start runs the server and waits until it is ready.
func (s *server) start() {
	s.Helper()
	path, err := binary()
	if err != nil {
		s.Fatal(err)
	}
	line := append(append(append([]string{}, s.wrapper...), path), s.arguments...)
	s.process, s.log, s.exited = exec.Command(line[0], line[1:]...), &journal{}, make(chan struct{})
	s.process.Stderr = s.log
	s.process.Env = append(os.Environ(), "GOMEMLIMIT="+memoryLimit)
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := s.process.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	began := time.Now()
	if err := s.process.Start(); err != nil {
		s.Fatalf("start %s: %v", line[0], err)
	}
	told := make(chan []byte, 1)
	go func(process *exec.Cmd, exited chan struct{}) {
		first, _ := bufio.NewReader(out).ReadBytes('\n')
		told <- first
		_ = process.Wait()
		close(exited)
	}(s.process, s.exited)
	if s.arguments[0] == "serve" {
		eventually(s, "it was ready", func() bool { return s.ready(s.Context()) })
		return
	}
	select {
	case first := <-told:
		var ready struct {
			Key string `json:"apiKey"`
		}
		if err := json.Unmarshal(first, &ready); err != nil {
			s.Fatalf("it ended before it was ready:\n%s", s.log)
		}
		s.key = ready.Key
	case <-time.After(patience):
		s.Fatalf("it never became ready:\n%s", s.log)
	}
	s.slowest = max(s.slowest, time.Since(began))
}

// signal sends a signal to the process and what it runs under.
func (s *server) signal(signal syscall.Signal) {
	_ = syscall.Kill(-s.process.Process.Pid, signal)
}

// wait waits for the process to end and returns its status, -1 for a signal.
func (s *server) wait(within time.Duration) (int, error) {
	select {
	case <-s.exited:
		status := s.process.ProcessState.ExitCode()
		s.process = nil
		return status, nil
	case <-time.After(within):
		return 0, errors.New("it does not end")
	}
}

// kill ends the process as a power switch would.
func (s *server) kill() {
	if s.process == nil {
		return
	}
	s.signal(syscall.SIGKILL)
	<-s.exited
	s.process = nil
}

// ready asks the probe.
func (s *server) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
	if err != nil {
		s.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// holds returns how much memory the process holds, in MiB, and how many file
// descriptors.
func (s *server) holds() (memory, files int) {
	s.Helper()
	folder := fmt.Sprintf("/proc/%d/", s.process.Process.Pid)
	text, err := os.ReadFile(folder + "status")
	if err != nil {
		s.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	if _, err := fmt.Sscan(after, &memory); err != nil { // in kB
		s.Fatal(err)
	}
	entries, err := os.ReadDir(folder + "fd")
	if err != nil {
		s.Fatal(err)
	}
	return memory / 1024, len(entries)
}

// eventually waits until check is true, looking often.
func eventually(t testing.TB, what string, check func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for !check() {
		if time.Since(began) > patience {
			t.Fatalf("it never happened that %s", what)
		}
		<-ticks.C
	}
	return time.Since(began)
}
