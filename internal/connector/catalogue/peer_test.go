package catalogue_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"latchkey/internal/connector/oauth2"
)

// answers are what a provider's documentation shows.
type answers struct {
	Variables map[string]string `yaml:"variables"`
	Token     map[string]any    `yaml:"token"`
	Profile   map[string]any    `yaml:"profile"`
	Dead      struct {
		Status int            `yaml:"status"`
		Answer map[string]any `yaml:"answer"`
	} `yaml:"dead"` // without it, 401
	User struct {
		ID       string `yaml:"id"`
		Name     string `yaml:"name"`
		Username string `yaml:"username"`
		Avatar   string `yaml:"avatar"`
	} `yaml:"user"`
	Base string `yaml:"base"` // of the API, where the token endpoint tells it
}

// readAnswers reads testdata/answers.yaml.
func readAnswers(t *testing.T) map[string]answers {
	t.Helper()
	text, err := os.ReadFile("testdata/answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]answers
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// asked is a request as the provider got it.
type asked struct {
	url    *url.URL // as it was meant, whatever host answered
	header http.Header
	method string
	values url.Values // of the query and the body, form or JSON
}

// peer answers on loopback for every host of one provider, as its documentation
// shows.
type peer struct {
	testing.TB
	server  *httptest.Server
	config  oauth2.Config // its variables filled in
	answers answers
	key     *rsa.PrivateKey

	mu    sync.Mutex
	dead  bool // the access token
	nonce string
	seen  []asked
}

// signingKey is made once: that takes a while.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newPeer(t *testing.T, config oauth2.Config, shown answers) *peer {
	t.Helper()
	p := &peer{TB: t, config: config, answers: shown, key: signingKey()}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

// RoundTrip sends a request for any host to the peer.
func (p *peer) RoundTrip(r *http.Request) (*http.Response, error) {
	meant := r.URL.String()
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = "http", strings.TrimPrefix(p.server.URL, "http://")
	out.Header.Set("X-Meant", meant)
	return p.server.Client().Transport.RoundTrip(out)
}

// ServeHTTP answers as the provider would.
func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got := p.note(r)
	p.mu.Lock()
	dead, nonce := p.dead, p.nonce
	p.mu.Unlock()
	status, body := http.StatusNotFound, map[string]any{"error": "not_found"}
	switch got.url.String() {
	case p.config.TokenEndpoint, orElse(p.config.Refresh.Endpoint, p.config.TokenEndpoint):
		status, body = http.StatusOK, p.token(nonce)
	case p.config.RevocationEndpoint:
		status, body = http.StatusOK, map[string]any{}
	case p.config.JWKSURI:
		status, body = http.StatusOK, p.keys()
	case orElse(p.config.Profile.URL, p.config.UserinfoEndpoint), p.config.Check.URL:
		status, body = http.StatusOK, p.answers.Profile
		if dead {
			status, body = http.StatusUnauthorized, map[string]any{}
			if p.answers.Dead.Status != 0 {
				status, body = p.answers.Dead.Status, p.answers.Dead.Answer
			}
		}
	case p.config.Issuer + "/.well-known/openid-configuration":
		status, body = http.StatusOK, p.metadata()
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// note remembers a request.
func (p *peer) note(r *http.Request) asked {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		p.Error(err)
	}
	meant, err := url.Parse(r.Header.Get("X-Meant"))
	if err != nil {
		p.Error(err)
	}
	values := r.URL.Query()
	var members map[string]string
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && json.Unmarshal(text, &members) == nil {
		for name, value := range members {
			values.Set(name, value)
		}
	} else if form, err := url.ParseQuery(string(text)); err == nil {
		for name := range form {
			values.Set(name, form.Get(name))
		}
	}
	got := asked{meant, r.Header, r.Method, values}
	p.mu.Lock()
	p.seen = append(p.seen, got)
	p.mu.Unlock()
	return p.bare(got)
}

// bare takes off what a request added to the query of an endpoint.
func (p *peer) bare(got asked) asked {
	if p.config.Revocation.Format == "query" {
		short := *got.url
		short.RawQuery = ""
		if short.String() == p.config.RevocationEndpoint {
			got.url = &short
		}
	}
	return got
}

// to returns the requests to an address.
func (p *peer) to(address string) []asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []asked
	for _, got := range p.seen {
		if p.bare(got).url.String() == address {
			found = append(found, got)
		}
	}
	return found
}

// token is the token endpoint's answer: the usual one, or as the documentation
// shows it.
func (p *peer) token(nonce string) map[string]any {
	body := map[string]any{"access_token": "at-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt-1"}
	if p.answers.Token != nil {
		body = p.answers.Token
	}
	if nonce != "" {
		now := time.Now().Unix()
		body["id_token"] = p.sign(map[string]any{
			"iss": p.config.Issuer, "aud": clientID, "sub": "person-1", "iat": now, "exp": now + 600, "nonce": nonce,
		})
	}
	return body
}

// sign makes a JWT (RFC 7515), RS256.
func (p *peer) sign(claims map[string]any) string {
	encode := func(value any) string {
		text, err := json.Marshal(value)
		if err != nil {
			p.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	input := encode(map[string]any{"alg": "RS256", "kid": "one"}) + "." + encode(claims)
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		p.Error(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// keys are the provider's public keys (RFC 7517).
func (p *peer) keys() map[string]any {
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": encode(p.key.N.Bytes()), "e": encode(big.NewInt(int64(p.key.E)).Bytes()),
	}}}
}

// metadata is the provider's own, where the file leaves it to that.
func (p *peer) metadata() map[string]any {
	return map[string]any{
		"issuer": p.config.Issuer, "authorization_endpoint": p.config.AuthorizationEndpoint, "token_endpoint": p.config.TokenEndpoint,
		"userinfo_endpoint": p.config.UserinfoEndpoint, "jwks_uri": p.config.JWKSURI, "revocation_endpoint": p.config.RevocationEndpoint,
		"code_challenge_methods_supported": []string{"S256"},
	}
}

// orElse returns the value, or the other where it is empty.
func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}
