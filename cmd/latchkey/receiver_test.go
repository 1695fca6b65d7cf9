package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// The receiver that docs/webhooks.md shows in Go, as it stands there.
func TestTheReceiverOfTheDocuments(t *testing.T) {
	source := blocks(documents(t)[filepath.Join(root, "docs", "webhooks.md")], "```go\n")
	if len(source) != 1 {
		t.Fatalf("%d programs", len(source))
	}
	s := startDev(t, t.TempDir())
	address := freeAddress(t)
	hook := post(t, s, "/v2/webhook-endpoints", `{"url":"http://`+address+`/","events":["link.session.cancelled"]}`)
	reports := startReceiver(t, strings.ReplaceAll(source[0], "127.0.0.1:9000", address), address, hook.Secret)

	t.Run("refuses what is not signed", func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := answered(t, request); status != http.StatusUnauthorized {
			t.Errorf("status %d", status)
		}
	})
	t.Run("takes what Latchkey signs", func(t *testing.T) {
		link := post(t, s, "/v2/link/init", `{"clientReferenceId":"user_1"}`)
		form := url.Values{"version": {"1"}, "action": {"cancel"}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, link.URL, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if status, _ := answered(t, request); status != http.StatusSeeOther {
			t.Fatalf("cancel: status %d", status)
		}
		line, err := reports.ReadString('\n')
		if err != nil || !strings.Contains(line, `"type":"`+string(latchkey.EventSessionCancelled)+`"`) {
			t.Errorf("it reported %q, %v", line, err)
		}
	})
}

// startReceiver builds and starts the program, and returns what it prints.
func startReceiver(t *testing.T, source, address, secret string) *bufio.Reader {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "receiver", "main.go")
	build.Dir, build.Env = folder, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	receiver := exec.CommandContext(ctx, filepath.Join(folder, "receiver"))
	receiver.Env = append(os.Environ(), "WEBHOOK_SECRET="+secret)
	out, err := receiver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = receiver.Wait() // it was killed
	})
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	for {
		connection, err := connect(address)
		if err == nil {
			_ = connection.Close()
			return bufio.NewReader(out)
		}
		if ctx.Err() != nil {
			t.Fatalf("the receiver does not listen: %v", err)
		}
		<-ticks.C
	}
}

// made is what the answers of the two calls have in common with each other.
type made struct {
	URL    string `json:"url"`
	Secret string `json:"secret"`
}

// post sends JSON with the sandbox key.
func post(t *testing.T, s *server, path, body string) made {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("apikey", s.ready.APIKey)
	request.Header.Set("Content-Type", "application/json")
	status, answer := answered(t, request)
	var value made
	if err := json.Unmarshal(answer, &value); err != nil || status >= http.StatusBadRequest {
		t.Fatalf("%s: status %d, %v", path, status, err)
	}
	return value
}

// answered sends a request and follows no redirect.
func answered(t *testing.T, request *http.Request) (int, []byte) {
	t.Helper()
	client := &http.Client{
		Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

// freeAddress returns a loopback address that nobody listens at just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
