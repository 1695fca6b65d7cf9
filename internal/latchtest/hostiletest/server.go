package hostiletest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What is registered: two clients, the same secret for both.
const (
	ClientID    = "latchkey"
	OtherClient = "another-client"
	Secret      = "s3cret-of-the-client"
	Subject     = "person-1"
)

// members are those of a JSON object.
type members = map[string]any

// Server is the authorization server, on a socket of its own.
type Server struct {
	testing.TB
	*httptest.Server

	// Baited counts the requests for keys that only a token's header names.
	Baited atomic.Int64

	mu      sync.Mutex
	mode    Mode
	key     *rsa.PrivateKey   // signs ID tokens, as key1
	enemy   *rsa.PrivateKey   // is published nowhere
	small   *rsa.PrivateKey   // is too small, and published as small
	curve   *ecdsa.PrivateKey // is published as curve
	grants  map[string]*grant // by code
	bearers map[string]*grant // by access token
	seen    []Request
	ahead   time.Duration // by which codes have aged
	lacking string        // a path that is answered with 503
}

// Request is what a client sent to an endpoint.
type Request struct {
	Path   string
	Values url.Values
}

// keys are made once: that takes a while.
var keys = sync.OnceValue(func() [3]*rsa.PrivateKey {
	var made [3]*rsa.PrivateKey
	for i, bits := range []int{2048, 2048, 1024} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		made[i] = key
	}
	return made
})

// Start starts an honest server and stops it at the test's cleanup.
func Start(t testing.TB) *Server {
	t.Helper()
	made := keys()
	s := &Server{TB: t, key: made[0], enemy: made[1], small: made[2], grants: map[string]*grant{}, bearers: map[string]*grant{}}
	var err error
	if s.curve, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, handle := range map[string]http.HandlerFunc{
		"/.well-known/openid-configuration": s.metadata,
		"/authorize":                        s.authorize,
		"/par":                              s.push,
		"/token":                            s.token,
		"/userinfo":                         s.userinfo,
		"/keys":                             s.keySet,
		"/revoke":                           s.revoke,
		"/bait":                             s.bait,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			s.mu.Lock()
			s.seen = append(s.seen, Request{path, r.Form})
			lacking := s.lacking == path
			s.mu.Unlock()
			if lacking {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			handle(w, r)
		})
	}
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// Bend makes the server behave in a mode; the zero one is honest.
func (s *Server) Bend(mode Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = mode
}

// bent returns the mode.
func (s *Server) bent() Mode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mode
}

// Age lets every code grow older.
func (s *Server) Age(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += by
}

// Lack takes an endpoint out of service.
func (s *Server) Lack(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lacking = path
}

// Seen returns what was sent to a path, in order.
func (s *Server) Seen(path string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Request
	for _, request := range s.seen {
		if request.Path == path {
			found = append(found, request)
		}
	}
	return found
}

// metadata answers with the server's metadata.
func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	published := members{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
		"userinfo_endpoint": s.URL + "/userinfo", "jwks_uri": s.URL + "/keys", "revocation_endpoint": s.URL + "/revoke",
		"pushed_authorization_request_endpoint":          s.URL + "/par",
		"response_types_supported":                       []string{"code"},
		"id_token_signing_alg_values_supported":          []string{"RS256", "ES256", "none", "HS256"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
	if bend := s.bent().Metadata; bend != nil {
		bend(published)
	}
	answer(w, http.StatusOK, published)
}

// bait publishes the enemy's key, for whoever believes a token's header.
func (s *Server) bait(w http.ResponseWriter, _ *http.Request) {
	s.Baited.Add(1)
	answer(w, http.StatusOK, members{"keys": []any{public(&s.enemy.PublicKey, "key1")}})
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
