package oidcpeertest

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// starting is how long the server may take to print its address.
const starting = 30 * time.Second

// CallbackURL is where every client's logins end.
const CallbackURL = "https://link.latchkey.example/callback/peer"

//go:embed testdata/peer
var sources embed.FS

// Client is a client as OpenID Connect Dynamic Client Registration names its
// parts.
type Client struct {
	ID             string         `json:"client_id"`
	Secret         string         `json:"client_secret,omitempty"`
	Authentication string         `json:"token_endpoint_auth_method"`
	Algorithm      string         `json:"token_endpoint_auth_signing_alg,omitempty"`
	IDToken        string         `json:"id_token_signed_response_alg,omitempty"`
	Keys           map[string]any `json:"jwks,omitempty"`
	Pushed         bool           `json:"require_pushed_authorization_requests,omitempty"`
	RedirectURIs   []string       `json:"redirect_uris"`
	GrantTypes     []string       `json:"grant_types"`
}

// Peer is a running server.
type Peer struct{ URL string }

// Start installs and starts a server of the test's own.
func Start(t testing.TB, clients ...Client) *Peer {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v; run make deps", err)
		}
	}
	for i := range clients {
		if clients[i].RedirectURIs == nil {
			clients[i].RedirectURIs = []string{CallbackURL}
		}
		clients[i].GrantTypes = []string{"authorization_code", "refresh_token"}
	}
	folder := t.TempDir()
	if err := unpack(folder); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = folder
	if printed, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, printed)
	}
	told, err := json.Marshal(map[string]any{"clients": clients})
	if err != nil {
		t.Fatal(err)
	}
	return run(t, folder, string(told))
}

// unpack writes the server's sources.
func unpack(folder string) error {
	inside, err := fs.Sub(sources, "testdata/peer")
	if err != nil {
		return err
	}
	return os.CopyFS(folder, inside)
}

// run starts the server and waits for its address.
func run(t testing.TB, folder, clients string) *Peer {
	t.Helper()
	command := exec.Command("node", filepath.Join(folder, "server.mjs"))
	command.Dir = folder
	command.Env = append(os.Environ(), "PEER="+clients)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	printed, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("oidc-provider: %s", complaints.String())
		}
	})
	address := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(printed).ReadString('\n')
		address <- strings.TrimSpace(line)
	}()
	select {
	case line := <-address:
		if !strings.HasPrefix(line, "http://127.0.0.1:") {
			t.Fatalf("the server did not start: %q", line)
		}
		return &Peer{URL: line}
	case <-time.After(starting):
		t.Fatal("the server did not say where it is")
	}
	return nil
}

// Follow goes where a browser would, with its cookies, until it is sent to the
// callback, and returns the answer that it brings.
func (p *Peer) Follow(ctx context.Context, target string) (url.Values, error) {
	back, err := p.SignIn(ctx, target, "")
	if err != nil {
		return nil, err
	}
	return back.Query(), nil
}

// SignIn is Follow for the person of the name; "" is the first, and anybody
// else's sub is the name. It returns where the browser is sent, when that is no
// page of the server's.
func (p *Peer) SignIn(ctx context.Context, target, name string) (*url.URL, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{
		Transport: &http.Transport{}, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer browser.CloseIdleConnections()
	for range 12 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("X-Person", name)
		answer, err := browser.Do(request)
		if err != nil {
			return nil, err
		}
		_ = answer.Body.Close()
		next, err := answer.Location()
		if err != nil {
			return nil, errors.New("a page leads nowhere: " + answer.Status)
		}
		if !strings.HasPrefix(next.String(), p.URL) {
			return next, nil
		}
		target = next.String()
	}
	return nil, errors.New("too many pages")
}
