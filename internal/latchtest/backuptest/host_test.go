package backuptest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// binary builds the server once.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("latchkey-backuptest-%d", os.Getpid()))
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

// patience is how long a busy machine may take for a step.
const patience = time.Minute

// host is a machine with a folder for one installation.
type host struct {
	testing.TB
	address  string
	url      string
	key      string
	folder   string
	database string // URL of PostgreSQL, or empty
	process  *exec.Cmd
	log      *bytes.Buffer
}

// newHost finds a free address and makes a folder with a configuration.
func newHost(t testing.TB, database string) *host {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	h := &host{TB: t, address: address, url: "http://" + address, folder: t.TempDir(), database: database}
	h.configure()
	t.Cleanup(h.kill)
	return h
}

// another is a clean machine at the same address, which has the key and nothing
// else.
func (h *host) another(database string) *host {
	h.Helper()
	clean := &host{TB: h.TB, address: h.address, url: h.url, folder: h.TempDir(), database: database}
	clean.configure()
	for _, name := range []string{"vault.key", "dev.json"} {
		clean.adopt(h, name)
	}
	h.Cleanup(clean.kill)
	return clean
}

// adopt copies a file of the data folder of another machine.
func (h *host) adopt(from *host, name string) {
	h.Helper()
	text, err := os.ReadFile(from.data(name))
	if err != nil {
		h.Fatal(err)
	}
	if err := os.MkdirAll(h.data(""), 0o700); err != nil {
		h.Fatal(err)
	}
	if err := os.WriteFile(h.data(name), text, 0o600); err != nil {
		h.Fatal(err)
	}
}

func (h *host) data(name string) string { return filepath.Join(h.folder, "data", name) }

func (h *host) configure() {
	h.Helper()
	text := fmt.Sprintf("listen: %s\ndata: %s\ndatabase_url: %q\n", h.address, h.data(""), h.database)
	if err := os.WriteFile(filepath.Join(h.folder, "latchkey.yaml"), []byte(text), 0o600); err != nil {
		h.Fatal(err)
	}
}

// command is the binary with arguments, under a umask that protects nothing.
func (h *host) command(args ...string) *exec.Cmd {
	h.Helper()
	path, err := binary()
	if err != nil {
		h.Fatal(err)
	}
	command := exec.Command("sh", append([]string{"-c", `umask 000 && exec "$@"`, "sh", path}, args...)...)
	command.Dir = h.folder
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command
}

// run runs a command to its end and returns what it printed.
func (h *host) run(args ...string) (string, error) {
	h.Helper()
	output, err := h.command(args...).CombinedOutput()
	return string(output), err
}

// mustRun is run for what can't fail.
func (h *host) mustRun(args ...string) string {
	h.Helper()
	output, err := h.run(args...)
	if err != nil {
		h.Fatalf("latchkey %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return output
}

// start runs the server and waits until it is ready.
func (h *host) start() {
	h.Helper()
	if err := h.tryStart(); err != nil {
		h.Fatal(err)
	}
}

func (h *host) tryStart() error {
	h.Helper()
	h.process = h.command("dev", "--json", "--listen", h.address, "--data", h.data(""), "--database-url", h.database)
	h.log = &bytes.Buffer{}
	h.process.Stderr = h.log
	out, err := h.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.process.Start(); err != nil {
		return err
	}
	late := time.AfterFunc(patience, h.signal)
	defer late.Stop()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		err = h.process.Wait()
		h.process = nil
		return fmt.Errorf("it did not start: %w\n%s", err, h.log)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	var ready struct {
		Key string `json:"apiKey"`
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		return err
	}
	h.key = ready.Key
	return nil
}

func (h *host) signal() {
	if h.process != nil {
		_ = syscall.Kill(-h.process.Process.Pid, syscall.SIGKILL)
	}
}

// kill ends the server as a power switch would.
func (h *host) kill() {
	if h.process != nil {
		h.signal()
		_ = h.process.Wait()
		h.process = nil
		client.CloseIdleConnections()
	}
}

// stop ends the server as an operator does.
func (h *host) stop() {
	h.Helper()
	if err := h.process.Process.Signal(syscall.SIGTERM); err != nil {
		h.Fatal(err)
	}
	client.CloseIdleConnections()
	if err := h.process.Wait(); err != nil {
		h.Fatalf("it ended with %v\n%s", err, h.log)
	}
	h.process = nil
}

// client follows no redirect.
var client = &http.Client{
	Timeout:       patience,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// answer is what came back.
type answer struct {
	status   int
	location string
	retry    string
	body     []byte
}

// send asks with the host's own key.
func (h *host) send(ctx context.Context, method, path, contentType, body string, headers ...string) (answer, error) {
	if strings.HasPrefix(path, "/") {
		path = h.url + path
	}
	request, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("apikey", h.key)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return answer{response.StatusCode, response.Header.Get("Location"), response.Header.Get("Retry-After"), content}, err
}

// call asks for JSON and wants a status.
func (h *host) call(want int, method, path, body string, headers ...string) []byte {
	h.Helper()
	got, err := h.send(h.Context(), method, path, "application/json", body, headers...)
	if err != nil {
		h.Fatal(err)
	}
	if got.status != want {
		h.Fatalf("%s %s: status %d, want %d: %s", method, path, got.status, want, got.body)
	}
	return got.body
}

// status asks and tells how it was answered.
func (h *host) status(method, path string, headers ...string) int {
	h.Helper()
	got, err := h.send(h.Context(), method, path, "", "", headers...)
	if err != nil {
		h.Fatal(err)
	}
	return got.status
}

// decode reads JSON.
func decode[T any](h *host, text []byte) T {
	h.Helper()
	var into T
	if err := json.Unmarshal(text, &into); err != nil {
		h.Fatalf("%v: %s", err, text)
	}
	return into
}

// errStep tells at which step a link ended.
var errStep = errors.New("the step was not taken")
