// Package matrixtest runs a Matrix homeserver inside a test: discovery, login by
// password and by a page of its own (SSO), rotating tokens, devices, profiles
// and a few endpoints to call, on loopback, as the client-server API at
// spec.matrix.org has them.
//
//	Start(t) ─▶ Server, whose server name is 127.0.0.1:port
//	/.well-known/matrix/client ─▶ /versions ─▶ GET /login
//	POST /login ◀── password, or loginToken ◀── the SSO page (Server.SignIn)
//	/refresh ─▶ the old pair is good until the new one is used
package matrixtest

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// Options say how a server is started.
type Options struct {
	Now      func() time.Time // nil: time.Now
	Life     time.Duration    // of an access token; 0: five minutes, negative: for ever and without refresh
	Flows    []string         // ways to log in; nil: m.login.password
	Versions []string         // nil: v1.1 to v1.13
}

// Server is a running homeserver. Its methods are safe for concurrent use.
type Server struct {
	URL     string
	Name    string // the server name in its users' IDs
	options Options

	mu        sync.Mutex
	users     map[string]*User // by ID
	access    map[string]*token
	refresh   map[string]*token
	login     map[string]loginToken
	failures  map[string][]time.Time
	wellKnown *Page
	calls     map[string]int
	down      bool
	claims    string // the user that every login is said to be of; "": the true one
}

// User is an account.
type User struct {
	Localpart   string
	Password    string
	DisplayName string
	AvatarURL   string // mxc
	Deactivated bool
}

// Page is an answer of the web server of the server name.
type Page struct {
	Status int
	Body   string
}

// Start starts the homeserver and stops it at the test's cleanup.
func Start(t testing.TB, options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Life == 0 {
		options.Life = 5 * time.Minute
	}
	if options.Flows == nil {
		options.Flows = []string{"m.login.password"}
	}
	if options.Versions == nil {
		options.Versions = []string{"r0.6.1", "v1.1", "v1.2", "v1.3", "v1.11", "v1.13"}
	}
	s := &Server{
		options: options, users: map[string]*User{}, access: map[string]*token{}, refresh: map[string]*token{},
		login: map[string]loginToken{}, failures: map[string][]time.Time{}, calls: map[string]int{},
	}
	server := httptest.NewServer(s.routes())
	t.Cleanup(server.Close)
	s.URL, s.Name = server.URL, strings.TrimPrefix(server.URL, "http://")
	return s
}

// Create makes a user and returns their ID.
func (s *Server) Create(user User) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "@" + user.Localpart + ":" + s.Name
	s.users[id] = &user
	return id
}

// Deactivate ends an account and all its sessions.
func (s *Server) Deactivate(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[id].Deactivated = true
	s.forget(func(held *token) bool { return held.user == id })
}

// SetWellKnown replaces the page at /.well-known/matrix/client.
func (s *Server) SetWellKnown(page Page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wellKnown = &page
}

// Claim makes the homeserver say that every login is of the user.
func (s *Server) Claim(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims = user
}

// Down makes the homeserver fail, or work again.
func (s *Server) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Calls counts the calls of an endpoint, as "POST /v3/login".
func (s *Server) Calls(endpoint string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[endpoint]
}

// routes are those of the homeserver and of the web server of its name.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/matrix/client", s.counted("well-known", s.serveWellKnown))
	mux.HandleFunc("GET /sso", s.counted("sso", s.showSSO))
	mux.HandleFunc("POST /sso", s.counted("sso", s.takeSSO))
	for endpoint, serve := range map[string]http.HandlerFunc{
		"GET /versions":               s.serveVersions,
		"GET /v3/login":               s.serveFlows,
		"POST /v3/login":              s.takeLogin,
		"GET /v3/login/sso/redirect":  s.redirectSSO,
		"POST /v1/login/get_token":    s.getToken,
		"POST /v3/refresh":            s.takeRefresh,
		"POST /v3/logout":             s.takeLogout,
		"GET /v3/account/whoami":      s.whoami,
		"GET /v3/devices":             s.devices,
		"GET /v3/profile/{user}":      s.profile,
		"GET /v3/joined_rooms":        s.joinedRooms,
		"PUT /v3/profile/{user}/name": s.rename,
	} {
		method, path, _ := strings.Cut(endpoint, " ")
		mux.HandleFunc(method+" /_matrix/client"+path, s.counted(endpoint, serve))
	}
	mux.HandleFunc("/_matrix/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "M_UNRECOGNIZED", "Unrecognized request")
	})
	return mux
}

// counted counts the calls of a handler, under the lock, and fails them while
// the server is down.
func (s *Server) counted(name string, serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls[name]++
		if s.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		serve(w, r)
	}
}

// random returns a token that nobody guesses.
func random(prefix string) string {
	raw := make([]byte, 20)
	_, _ = rand.Read(raw) // never fails
	return prefix + hex.EncodeToString(raw)
}

// read reads a JSON body.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil || json.Unmarshal(body, into) != nil {
		refuse(w, http.StatusBadRequest, "M_NOT_JSON", "Content not JSON.")
		return false
	}
	return true
}

// refuse answers with a standard error response.
func refuse(w http.ResponseWriter, status int, code, message string) {
	write(w, status, map[string]any{"errcode": code, "error": message})
}

// write answers with JSON.
func write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, value)
}
