package killtest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary builds the server once, without the race detector: it is what runs in
// the field that is killed here.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("latchkey-killtest-%d", os.Getpid()))
	build := exec.Command("go", "build", "-o", path, "../../../cmd/latchkey")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, output)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if config := os.Getenv(envServe); config != "" {
		if err := serveQuickly(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	status := m.Run()
	if path, err := binary(); err == nil {
		_ = os.Remove(path)
	}
	os.Exit(status)
}

// server is the binary with its configuration, running or not.
type server struct {
	*testing.T
	url     string
	key     string
	config  string
	wrapper []string // a command to run it under
	quick   bool     // it is this test's binary, in whose life time passes quickly
	process *exec.Cmd
	log     *bytes.Buffer
	slowest time.Duration // from start to ready
}

// newServer writes a configuration and makes an organisation.
func newServer(t *testing.T, databaseURL string) *server {
	t.Helper()
	address := freeAddress(t)
	folder := t.TempDir()
	s := &server{T: t, url: "http://" + address, config: filepath.Join(folder, "latchkey.yaml")}
	// A login that a kill cut short stays counted, and all come from one address.
	// One key asks for everything at the end, and faster than a key may.
	text := fmt.Sprintf("listen: %s\ndata: %s\ndatabase_url: %q\nlog_level: error\nlimits: {attempts_per_address: -1, requests_per_key: -1}\n",
		address, folder, databaseURL)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), path, "setup", "--config", s.config, "--organisation", "Acme",
		"--name", "Shop", "--domain", "shop.example", "--redirect-uri", "http://127.0.0.1/callback",
		"--permission", "profile:read=to greet you").CombinedOutput()
	if err != nil {
		t.Fatalf("setup: %v\n%s", err, output)
	}
	s.key = string(regexp.MustCompile(`sk_sandbox_[0-9A-Za-z]+`).Find(output))
	t.Cleanup(s.kill)
	return s
}

// freeAddress is an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

// start runs the server and waits until it is ready.
func (s *server) start() {
	s.Helper()
	path, err := binary()
	if err != nil {
		s.Fatal(err)
	}
	line := append(append([]string{}, s.wrapper...), path, "serve", "--config", s.config)
	if s.quick {
		line = []string{"/proc/self/exe"}
	}
	s.process, s.log = exec.Command(line[0], line[1:]...), &bytes.Buffer{}
	if s.quick {
		s.process.Env = append(os.Environ(), envServe+"="+s.config)
	}
	s.process.Stderr = s.log
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	began := time.Now()
	if err := s.process.Start(); err != nil {
		s.Fatalf("start %s: %v", line[0], err)
	}
	deadline := began.Add(20 * time.Second)
	ticks := time.NewTicker(2 * time.Millisecond)
	defer ticks.Stop()
	for !s.ready() {
		if time.Now().After(deadline) {
			s.Fatalf("it never became ready:\n%s", s.log)
		}
		<-ticks.C
	}
	s.slowest = max(s.slowest, time.Since(began))
}

func (s *server) ready() bool {
	ctx, cancel := context.WithTimeout(s.Context(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
	if err != nil {
		s.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// kill ends the server, and what it runs under, as a power switch would.
func (s *server) kill() {
	if s.process == nil {
		return
	}
	_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL)
	_ = s.process.Wait()
	s.process = nil
}
