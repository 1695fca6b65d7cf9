package latchtest

import (
	"context"
	"crypto/rand"
	"errors"
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

// What the programmable provider takes.
const (
	ProviderID = "tester"
	Password   = "correct horse" //nolint:gosec // of a provider that exists in tests alone
	Code       = "246810"
)

// Provider is a provider that the test programs: a real HTTP server on
// loopback with sessions, an API and a logout, and the connector for it. A
// username that begins with "otp" also wants the Code.
type Provider struct {
	URL string
	// API answers proxied requests that carry a live session, after the default
	// paths; nil: 404. Set it before the first request.
	API      http.HandlerFunc
	mu       sync.Mutex
	sessions map[string]string // token → username
	issued   []string          // every token there ever was
	logins   int
	down     bool
	release  chan struct{} // when not nil, logins wait for it
	life     time.Duration // of a credential; 0: for ever
	refresh  int
}

// NewProvider starts the provider's server.
func NewProvider(t testing.TB) *Provider {
	p := &Provider{sessions: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// Down makes the provider fail, or work again.
func (p *Provider) Down(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Hold makes logins wait until the returned function is called.
func (p *Provider) Hold() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := make(chan struct{})
	p.release = held
	return sync.OnceFunc(func() {
		p.mu.Lock()
		p.release = nil
		p.mu.Unlock()
		close(held)
	})
}

// Expire makes credentials last for the time, after which they are refreshed.
func (p *Provider) Expire(after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life = after
}

// Logins counts how often a password came in.
func (p *Provider) Logins() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logins
}

// Refreshes counts how often a credential was renewed.
func (p *Provider) Refreshes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refresh
}

// Tokens returns the live sessions' tokens: the secrets to search for.
func (p *Provider) Tokens() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var tokens []string
	for token := range p.sessions {
		tokens = append(tokens, token)
	}
	return tokens
}

// Issued returns every token that there ever was.
func (p *Provider) Issued() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.issued...)
}

// Kill ends every session at the provider.
func (p *Provider) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.sessions)
}

func (p *Provider) begin(username string) string {
	token := latchkey.NewSecretID(rand.Reader, "tok_")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions[token] = username
	p.issued = append(p.issued, token)
	return token
}

// serve is the provider's own HTTP server.
func (p *Provider) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	down, held := p.down, p.release
	p.mu.Unlock()
	if down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	if r.URL.Path == "/login" {
		p.login(w, r, held)
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	username, live := p.sessions[token]
	p.mu.Unlock()
	switch {
	case !live:
		http.Error(w, "no session", http.StatusUnauthorized)
	case r.URL.Path == "/logout":
		p.mu.Lock()
		delete(p.sessions, token)
		p.mu.Unlock()
	case r.URL.Path == "/me":
		_, _ = fmt.Fprintf(w, `{"login":%q}`, username)
	case r.URL.Path == "/renew":
		p.mu.Lock()
		delete(p.sessions, token)
		p.refresh++
		p.mu.Unlock()
		_, _ = io.WriteString(w, p.begin(username))
	case p.API != nil:
		p.API(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (p *Provider) login(w http.ResponseWriter, r *http.Request, held chan struct{}) {
	p.mu.Lock()
	p.logins++
	p.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-r.Context().Done():
			return
		}
	}
	username := r.FormValue("username")
	if r.FormValue("password") != Password {
		http.Error(w, "wrong", http.StatusForbidden)
		return
	}
	_, _ = io.WriteString(w, p.begin(username))
}

// Describe returns the provider's facts.
func (p *Provider) Describe() connector.Description {
	return connector.Description{
		ID: ProviderID, Name: "Tester", Domain: "tester.example",
		Environments: []latchkey.Environment{latchkey.Sandbox, latchkey.Live},
	}
}

var loginFields = []latchkey.Field{
	{Name: "username", Type: latchkey.FieldText, Label: "Username", Autocomplete: "username", Required: true},
	{Name: "password", Type: latchkey.FieldPassword, Label: "Password", Autocomplete: "current-password", Required: true},
}

var codeField = []latchkey.Field{
	{Name: "code", Type: latchkey.FieldCode, Label: "Code", Autocomplete: "one-time-code", Required: true},
}

// Advance logs in over HTTP. Between password and code it remembers the token.
func (p *Provider) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	ask := connector.Prompt{
		At: latchkey.StateLogin, Prompt: latchkey.Prompt{Fields: loginFields}, State: []byte("login"),
	}
	if flow.State == nil {
		return ask, nil
	}
	if token, waiting := strings.CutPrefix(string(flow.State), "2fa:"); waiting {
		if string(input.Fields["code"].Reveal()) != Code {
			return codePrompt(token, latchkey.FailureTwoFactor), nil
		}
		return p.done(ctx, flow, token)
	}
	username := string(input.Fields["username"].Reveal())
	status, token, err := p.request(ctx, flow.HTTP, "/login", "", url.Values{
		"username": {username}, "password": {string(input.Fields["password"].Reveal())},
	})
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusForbidden:
		ask.Refused = latchkey.FailureInvalidCredentials
		return ask, nil
	case strings.HasPrefix(username, "locked"):
		return nil, &connector.Failure{Code: latchkey.FailureAccountLocked, Reason: "the test said so"}
	case strings.HasPrefix(username, "otp"):
		return codePrompt(token, ""), nil
	}
	return p.done(ctx, flow, token)
}

func codePrompt(token string, refused latchkey.FailureCode) connector.Prompt {
	return connector.Prompt{
		At: latchkey.StateTwoFactor, Refused: refused, State: []byte("2fa:" + token), Prompt: latchkey.Prompt{
			Fields: codeField, TwoFactor: &latchkey.TwoFactorState{Options: []string{"app"}},
		},
	}
}

func (p *Provider) done(ctx context.Context, flow connector.Flow, token string) (connector.Step, error) {
	profile, err := p.Check(ctx, connector.Access{Credential: []byte(token), HTTP: flow.HTTP})
	if err != nil {
		return nil, err
	}
	return connector.Done{User: profile.User, Credential: p.credential(token, flow.Now)}, nil
}

func (p *Provider) credential(token string, now time.Time) connector.Credential {
	p.mu.Lock()
	defer p.mu.Unlock()
	credential := connector.Credential{Secret: []byte(token)}
	if p.life > 0 {
		credential.ExpiresAt = now.Add(p.life)
	}
	return credential
}

// request calls the provider's server; anything but 200, 401 and 403 is an
// error.
func (p *Provider) request(ctx context.Context, client *http.Client, path, token string, form url.Values) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, "", err
	}
	switch response.StatusCode {
	case http.StatusOK, http.StatusUnauthorized, http.StatusForbidden:
		return response.StatusCode, string(body), nil
	}
	return response.StatusCode, "", errors.New("the tester answered " + response.Status)
}

// Base returns the server's address.
func (p *Provider) Base([]byte) (*url.URL, error) { return url.Parse(p.URL) }

// Authorize adds the token.
func (p *Provider) Authorize(out *http.Request, credential []byte) error {
	out.Header.Set("Authorization", "Bearer "+string(credential))
	return nil
}

// Check asks who the token is.
func (p *Provider) Check(ctx context.Context, access connector.Access) (connector.Profile, error) {
	status, body, err := p.request(ctx, access.HTTP, "/me", string(access.Credential), nil)
	if err != nil {
		return connector.Profile{}, err
	}
	if status != http.StatusOK {
		return connector.Profile{}, fmt.Errorf("check the token: %w", connector.ErrDead)
	}
	username := strings.TrimSuffix(strings.TrimPrefix(body, `{"login":"`), `"}`)
	return connector.Profile{
		User: latchkey.UserData{ID: "id-of-" + username, Name: "Name of " + username, Username: username}, Raw: []byte(body),
	}, nil
}

// Refresh exchanges the token for another; the old one is dead.
func (p *Provider) Refresh(ctx context.Context, access connector.Access) (connector.Credential, error) {
	status, token, err := p.request(ctx, access.HTTP, "/renew", string(access.Credential), nil)
	if err != nil {
		return connector.Credential{}, err
	}
	if status != http.StatusOK {
		return connector.Credential{}, fmt.Errorf("renew the token: %w", connector.ErrDead)
	}
	return p.credential(token, access.Now), nil
}

// Imports reports that the tester's sessions can be imported.
func (p *Provider) Imports() bool { return true }

// Import takes over the session of the cookie "token".
func (p *Provider) Import(ctx context.Context, flow connector.Flow, cookie, _ latchkey.Secret) (connector.Done, error) {
	token, _ := strings.CutPrefix(string(cookie.Reveal()), "token=")
	profile, err := p.Check(ctx, connector.Access{Credential: []byte(token), HTTP: flow.HTTP})
	if errors.Is(err, connector.ErrDead) {
		return connector.Done{}, &connector.Failure{Code: latchkey.FailureInvalidCredentials, Reason: "no such session"}
	}
	if err != nil {
		return connector.Done{}, err
	}
	return connector.Done{User: profile.User, Credential: p.credential(token, flow.Now)}, nil
}

// Export returns {"token":"…"}.
func (p *Provider) Export(credential []byte) ([]byte, error) {
	return fmt.Appendf(nil, `{"token":%q}`, credential), nil
}

// Revoke logs out.
func (p *Provider) Revoke(ctx context.Context, access connector.Access) error {
	_, _, err := p.request(ctx, access.HTTP, "/logout", string(access.Credential), nil)
	return err
}
