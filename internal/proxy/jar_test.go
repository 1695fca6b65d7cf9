package proxy_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// odd are characters that each encoding writes in its own way, and that may
// stand in a cookie, a header and a query.
const odd = "/+=&<'>"

// canary returns a secret that nobody has used before. Its beginning is the
// same in every encoding: to find that is to find the secret.
func newCanary() string {
	random := make([]byte, 12)
	_, _ = rand.Read(random)
	return "c4n4ry" + hex.EncodeToString(random) + odd + hex.EncodeToString(random[:4])
}

// kept is the credential of a jar.
type kept struct {
	Token   string            `json:"token"`
	Refresh string            `json:"refresh"`
	Key     string            `json:"key"`
	Query   string            `json:"query"`
	Cookies map[string]string `json:"cookies"`
}

// jar is a provider whose credential has everything in it that a credential
// can have: a bearer token, one for renewals, a key in a header, one in the
// query, and cookies, of which answers set new ones.
type jar struct {
	url  string
	mu   sync.Mutex
	made []string // every secret that it has given
}

// secret makes a secret.
func (j *jar) secret() string {
	made := newCanary()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.made = append(j.made, made)
	return made
}

// secrets returns all.
func (j *jar) secrets() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.made...)
}

func (j *jar) Describe() connector.Description {
	return connector.Description{
		ID: "jar", Name: "Jar", Domain: "jar.example", Environments: []latchkey.Environment{latchkey.Sandbox, latchkey.Live},
	}
}

// Advance takes whoever comes.
func (j *jar) Advance(_ context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if flow.State == nil {
		return connector.Prompt{At: latchkey.StateLogin, State: []byte("asked"), Prompt: latchkey.Prompt{Fields: []latchkey.Field{
			{Name: "username", Type: latchkey.FieldText, Label: "Username", Required: true},
		}}}, nil
	}
	credential, err := json.Marshal(kept{
		Token: j.secret(), Refresh: j.secret(), Key: j.secret(), Query: j.secret(),
		Cookies: map[string]string{"sid": j.secret(), "device": j.secret(), "lang": "en", "user": "4711471147114711471147"},
	})
	name := string(input.Fields["username"].Reveal())
	return connector.Done{User: latchkey.UserData{ID: name, Name: name, Username: name},
		Credential: connector.Credential{Secret: credential}}, err
}

func (j *jar) Base([]byte) (*url.URL, error) { return url.Parse(j.url) }

func (j *jar) Authorize(out *http.Request, credential []byte) error {
	var has kept
	if err := json.Unmarshal(credential, &has); err != nil {
		return errors.New("the credential is unreadable")
	}
	out.Header.Set("Authorization", "Bearer "+has.Token)
	out.Header.Set("X-Key", has.Key)
	query := url.Values{"key": {has.Query}}.Encode()
	out.URL.RawQuery = strings.TrimPrefix(out.URL.RawQuery+"&"+query, "&")
	var pairs []string
	for name, value := range has.Cookies {
		pairs = append(pairs, name+"="+value)
	}
	out.Header.Set("Cookie", strings.Join(pairs, "; "))
	return nil
}

// Keep takes the cookies that an answer sets.
func (j *jar) Keep(credential []byte, answer *http.Response) ([]byte, bool) {
	var has kept
	if json.Unmarshal(credential, &has) != nil {
		return nil, false
	}
	for _, set := range answer.Cookies() {
		has.Cookies[set.Name] = set.Value
	}
	changed, err := json.Marshal(has)
	return changed, err == nil && len(answer.Cookies()) > 0
}

// Conceal names what the requests do not show.
func (j *jar) Conceal(credential []byte) []latchkey.Secret {
	var has kept
	if json.Unmarshal(credential, &has) != nil {
		return nil
	}
	return []latchkey.Secret{latchkey.NewSecret([]byte(has.Refresh))}
}

// link links an account of the jar.
func (j *jar) link(s *latchtest.Server, username string) string {
	s.Helper()
	link := s.Init(map[string]any{"provider": "jar"})
	visit := s.Visit(link.URL).Consent().Submit("continue", "username", username)
	if visit.Landed == nil {
		s.Fatalf("the login did not end: %s", visit.Text())
	}
	return visit.Landed.Query().Get("connection_id")
}

// newPeer starts a server of the test's own and returns its address.
func newPeer(t testing.TB, handler http.HandlerFunc) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}
