package latchtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// RotatingID is the provider of a Rotator.
const RotatingID = "rotating"

// Rotator is the server of a provider that gives a new pair of tokens at each
// refresh, takes no token of an older pair, and ends the grant when one is
// used again: refresh token rotation with reuse detection (RFC 9700, section
// 4.14.2).
type Rotator struct {
	URL string
	// Answered is called on the server's side when a refresh or a revocation has
	// been answered, and before the answer is complete; nil: nothing is.
	Answered  func()
	mu        sync.Mutex
	down      bool
	grants    map[string]*grant // by refresh token, also those that were used
	refreshes int
	alarms    int
}

// grant is what a person has agreed to.
type grant struct {
	username, access, refresh string
	ended                     bool
}

// NewRotator starts the server.
func NewRotator(t testing.TB) *Rotator {
	r := &Rotator{grants: map[string]*grant{}}
	server := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// Refreshes counts how often a pair was exchanged for another.
func (r *Rotator) Refreshes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refreshes
}

// Alarms counts how often a refresh token was used again.
func (r *Rotator) Alarms() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.alarms
}

// Down lets every request be answered with 503, or no longer.
func (r *Rotator) Down(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// Live counts the grants that have not ended.
func (r *Rotator) Live() (live int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for token, g := range r.grants {
		if !g.ended && g.refresh == token {
			live++
		}
	}
	return live
}

// Withdraw ends every grant, as people do in their settings.
func (r *Rotator) Withdraw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.grants {
		g.ended = true
	}
}

// pair gives the grant new tokens and returns them.
func (r *Rotator) pair(g *grant) string {
	g.access, g.refresh = latchkey.NewSecretID(rand.Reader, "at_"), latchkey.NewSecretID(rand.Reader, "rt_")
	r.grants[g.refresh] = g
	return g.access + " " + g.refresh
}

func (r *Rotator) serve(w http.ResponseWriter, request *http.Request) {
	answer, status := r.answer(request)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
	if request.URL.Path != "/me" && request.URL.Path != "/login" && status == http.StatusOK && r.Answered != nil {
		_ = http.NewResponseController(w).Flush()
		r.Answered()
	}
}

// answer changes the state and returns what is answered.
func (r *Rotator) answer(request *http.Request) (string, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return "", http.StatusServiceUnavailable
	}
	token := request.FormValue("token")
	switch g := r.grants[token]; request.URL.Path {
	case "/login":
		return r.pair(&grant{username: request.FormValue("username")}), http.StatusOK
	case "/token":
		switch {
		case g == nil || g.ended:
			return "", http.StatusUnauthorized
		case g.refresh != token:
			g.ended = true
			r.alarms++
			return "", http.StatusUnauthorized
		}
		r.refreshes++
		return r.pair(g), http.StatusOK
	case "/revoke":
		if g != nil {
			g.ended = true
		}
		return "", http.StatusOK
	}
	bearer, _ := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
	for _, g := range r.grants {
		if g.access == bearer && !g.ended {
			return fmt.Sprintf("{%q:%q}", "login", g.username), http.StatusOK
		}
	}
	return "", http.StatusUnauthorized
}

// Rotating is the connector of a Rotator, which may be another process's.
type Rotating struct {
	At   string        // the Rotator's URL
	Life time.Duration // of a pair of tokens
	// Every is how often live connections are asked after; 0: the usual.
	Every time.Duration
}

// Describe returns the provider's facts.
func (c Rotating) Describe() connector.Description {
	return connector.Description{
		ID: RotatingID, Name: "Rotating", Domain: "rotating.example", CheckEvery: c.Every,
		Environments: []latchkey.Environment{latchkey.Sandbox, latchkey.Live},
	}
}

// Advance asks for a username and takes any.
func (c Rotating) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if flow.State == nil {
		return connector.Prompt{
			At: latchkey.StateLogin, Prompt: latchkey.Prompt{Fields: loginFields[:1]}, State: []byte("login"),
		}, nil
	}
	name := string(input.Fields["username"].Reveal())
	status, pair, err := c.post(ctx, flow.HTTP, "/login", url.Values{"username": {name}})
	if err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("log in: status %d, %w", status, err)
	}
	return connector.Done{User: latchkey.UserData{ID: name, Username: name}, Credential: c.credential(pair, flow.Now)}, nil
}

func (c Rotating) credential(pair string, now time.Time) connector.Credential {
	return connector.Credential{Secret: []byte(pair), ExpiresAt: now.Add(c.Life)}
}

func (c Rotating) post(ctx context.Context, client *http.Client, path string, form url.Values) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.At+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// Refresh exchanges the pair for another.
func (c Rotating) Refresh(ctx context.Context, access connector.Access) (connector.Credential, error) {
	_, refresh, _ := strings.Cut(string(access.Credential), " ")
	status, pair, err := c.post(ctx, access.HTTP, "/token", url.Values{"token": {refresh}})
	switch {
	case err != nil:
		return connector.Credential{}, err
	case status == http.StatusUnauthorized: // invalid_grant
		return connector.Credential{}, &connector.Dead{Reason: connector.DeadRevoked}
	case status != http.StatusOK:
		return connector.Credential{}, fmt.Errorf("refresh: status %d", status)
	}
	return c.credential(pair, access.Now), nil
}

// Base returns the server's address.
func (c Rotating) Base([]byte) (*url.URL, error) { return url.Parse(c.At) }

// Authorize adds the access token.
func (c Rotating) Authorize(out *http.Request, credential []byte) error {
	token, _, _ := strings.Cut(string(credential), " ")
	out.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// Check asks who the access token is.
func (c Rotating) Check(ctx context.Context, access connector.Access) (connector.Profile, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.At+"/me", nil)
	if err != nil {
		return connector.Profile{}, err
	}
	_ = c.Authorize(request, access.Credential)
	answer, err := access.HTTP.Do(request)
	if err != nil {
		return connector.Profile{}, err
	}
	_ = answer.Body.Close()
	if answer.StatusCode == http.StatusUnauthorized {
		return connector.Profile{}, &connector.Dead{Reason: connector.DeadRevoked}
	}
	return connector.Profile{}, nil
}

// Revoke ends the grant.
func (c Rotating) Revoke(ctx context.Context, access connector.Access) error {
	_, refresh, _ := strings.Cut(string(access.Credential), " ")
	status, _, err := c.post(ctx, access.HTTP, "/revoke", url.Values{"token": {refresh}})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("revoke: status %d", status)
	}
	return err
}
