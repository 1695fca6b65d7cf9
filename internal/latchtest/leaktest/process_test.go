package leaktest_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest/exittest"
	"latchkey/internal/latchtest/leaktest"
)

// process is the binary in production, with a secret in each file that it
// reads.
type process struct {
	*testing.T
	folder, url, metrics, key string
	secrets                   leaktest.Secrets
	command                   *exec.Cmd
	output                    bytes.Buffer // both streams; complete once it has ended
}

// file writes a file of one secret and returns its path.
func (p *process) file(kind, before, after string) string {
	p.Helper()
	secret := latchkey.NewSecretID(rand.Reader, "")
	p.secrets.Add(kind, secret)
	path := filepath.Join(p.folder, strings.ReplaceAll(kind, " ", "-"))
	if err := os.WriteFile(path, []byte(before+secret+after), 0o600); err != nil {
		p.Fatal(err)
	}
	return path
}

// address returns one of loopback where nobody listens.
func (p *process) address() string {
	p.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// startProcess builds, sets up and starts the binary.
func startProcess(t *testing.T) *process {
	t.Helper()
	p := &process{T: t, folder: t.TempDir()}
	binary := filepath.Join(p.folder, "latchkey")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../../cmd/latchkey")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
	listen := p.address()
	p.url, p.metrics = "http://"+listen, "http://"+p.address()
	exit := exittest.Start(t, exittest.Options{})
	config := filepath.Join(p.folder, "latchkey.yaml")
	text := fmt.Sprintf("listen: %s\nmetrics_listen: %s\ndata: %s\nlog_level: debug\n"+
		"providers:\n  - {id: github, client_id: abc, client_secret_file: %s}\n"+
		"egress: {check_every: 10s, proxies: [{name: de-1, url_file: %s, country: DE}]}\n",
		listen, strings.TrimPrefix(p.metrics, "http://"), filepath.Join(p.folder, "data"), p.file("OAuth client secret", "", "\n"),
		p.file("proxy password", "http://user:", "@"+exit.URL.Host+"\n"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), binary, "setup", "--config", config, "--organisation", "Acme", "--name", "Shop",
		"--domain", "shop.example", "--redirect-uri", "http://127.0.0.1/callback", "--permission", "profile:read=to greet you").CombinedOutput()
	if err != nil {
		t.Fatalf("setup: %v\n%s", err, said)
	}
	for _, key := range regexp.MustCompile(`sk_(sandbox|live)_[0-9A-Za-z]+`).FindAllString(string(said), -1) {
		p.secrets.Add("API key", key)
		p.key = key
		if strings.HasPrefix(key, "sk_sandbox_") {
			break
		}
	}
	p.command = exec.Command(binary, "serve", "--config", config)
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.command.Process.Kill() })
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(60 * time.Second); p.ask("GET", p.url+"/readyz", "", "") == nil; <-ticks.C {
		if time.Now().After(deadline) {
			t.Fatal("it is never ready")
		}
	}
	return p
}

// ask returns the answer, header and body, or nil.
func (p *process) ask(method, url, key, body string) []byte {
	request, err := http.NewRequestWithContext(p.Context(), method, url, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("apikey", key)
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return nil
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil
	}
	return append(fmt.Appendf(nil, "%d %v\n", answer.StatusCode, answer.Header), content...)
}

func TestAProcessTellsNoSecret(t *testing.T) {
	p := startProcess(t)
	made := string(p.ask("POST", p.url+"/v2/link/init", p.key, "{}"))
	client := regexp.MustCompile(`cs_[0-9A-Za-z]{20,}`).FindString(made)
	p.secrets.Add("client secret", client)
	p.secrets.Add("password", "Tr0ub4dor&3-of-a-process")
	if client == "" {
		t.Fatalf("init: %s", made)
	}
	places := map[string][]byte{}
	for _, call := range []struct{ method, path, key, body string }{
		{"POST", "/v2/link/" + client + "/submit", p.key, `{"fields":{"password":"Tr0ub4dor&3-of-a-process"}}`},
		{"POST", "/v2/link/" + client + "/submit", p.key + "x", `{"fields":{"password":"Tr0ub4dor&3-of-a-process"`},
		{"POST", "/" + client, "", "password=Tr0ub4dor%263-of-a-process"},
		{"GET", "/v2/access/proxy/x", p.key, ""},
		{"GET", "/v2/account/whoami", p.key, ""},
		{"GET", "/debug/pprof/cmdline", "", ""},
	} {
		places["answers"] = append(places["answers"], bytes.ReplaceAll(p.ask(call.method, p.url+call.path, call.key, call.body), []byte(client), nil)...)
	}
	places["metrics"] = p.ask("GET", p.metrics+"/metrics", "", "")
	if profile := p.ask("GET", p.metrics+"/debug/pprof/heap?debug=1", "", ""); !bytes.HasPrefix(profile, []byte("404")) {
		t.Errorf("profiles are served: %.100s", profile)
	}
	for _, name := range []string{"environ", "cmdline"} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.command.Process.Pid, name))
		if err != nil {
			t.Fatal(err)
		}
		places[name] = content
	}
	for _, name := range []string{"latchkey.db", "latchkey.db-wal"} {
		content, err := os.ReadFile(filepath.Join(p.folder, "data", name))
		if err != nil {
			t.Fatal(err)
		}
		places[name] = content
	}
	if err := p.command.Process.Signal(syscall.SIGQUIT); err != nil { // it tells where every goroutine is, and ends
		t.Fatal(err)
	}
	_ = p.command.Wait()
	places["log and crash"] = p.output.Bytes()
	if !bytes.Contains(p.output.Bytes(), []byte(`"msg":"request"`)) || !bytes.Contains(p.output.Bytes(), []byte("goroutine ")) {
		t.Errorf("it has said %.500s", p.output.Bytes())
	}
	hits := 0
	for place, content := range places {
		if len(content) == 0 {
			t.Errorf("%s is empty", place)
		}
		for _, finding := range p.secrets.Find(content) {
			hits++
			t.Errorf("in %s stands a secret: %s", place, finding)
		}
	}
	fmt.Printf("RESULT V-5.process %d 0\nRESULT V-5.process.places %d 7\n", hits, len(places))
}
