// Package atprototest runs the AT Protocol inside a test: a DNS resolver over
// HTTPS, a PLC directory and a personal data server (PDS) behind one listener on
// loopback, as the specifications at atproto.com/specs, the lexicons of
// com.atproto.server and the reference PDS have them.
//
//	Start(t) ─▶ Server ─▶ Resolver, Directory: what a client is configured with
//	Server.Create ─▶ an account: TXT record, DID document, password, e-mail
//	createSession ─▶ code by e-mail (Server.Code) ─▶ access and refresh JWT
//	refreshSession ─▶ rotated; the old one is good for two hours more
package atprototest

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Options say how a server is started.
type Options struct {
	Now  func() time.Time // nil: time.Now
	Bare bool             // no AppView behind the PDS, and so no profiles
}

// Server is the running network. Its methods are safe for concurrent use.
type Server struct {
	URL     string // of the PDS
	options Options
	key     []byte // signs the JWTs

	mu        sync.Mutex
	accounts  map[string]*account // by DID
	records   map[string][]string // TXT records, by name
	documents map[string]string   // that were put in the place of an account's own
	sessions  map[string]*session // by id of the refresh token
	attempts  map[string][]time.Time
	calls     map[string]int
	down      bool
	claims    string // the DID that every session is said to be of; "": the true one
}

// Start starts the servers and stops them at the test's cleanup.
func Start(t testing.TB, options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Server{
		options: options, key: make([]byte, 32), accounts: map[string]*account{}, records: map[string][]string{},
		documents: map[string]string{}, sessions: map[string]*session{}, attempts: map[string][]time.Time{}, calls: map[string]int{},
	}
	_, _ = rand.Read(s.key) // never fails
	server := httptest.NewServer(s.routes())
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Resolver is where DNS is asked over HTTPS.
func (s *Server) Resolver() *url.URL { return s.at("/dns-query") }

// Directory is the PLC directory.
func (s *Server) Directory() *url.URL { return s.at("/plc") }

func (s *Server) at(path string) *url.URL {
	base, err := url.Parse(s.URL)
	if err != nil {
		panic(err) // httptest's own
	}
	return base.JoinPath(path)
}

// Calls counts the calls of an XRPC method, or of "dns" and "plc".
func (s *Server) Calls(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[name]
}

// Down makes every server fail, or work again.
func (s *Server) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// routes are those of all servers.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dns-query", s.counted("dns", s.serveDNS))
	mux.HandleFunc("GET /plc/{did}", s.counted("plc", s.serveDocument))
	for method, serve := range map[string]http.HandlerFunc{
		"POST com.atproto.server.createSession":     s.createSession,
		"POST com.atproto.server.refreshSession":    s.refreshSession,
		"POST com.atproto.server.deleteSession":     s.deleteSession,
		"GET com.atproto.server.getSession":         s.getSession,
		"POST com.atproto.server.createAppPassword": s.createAppPassword,
		"GET com.atproto.server.describeServer":     s.describeServer,
		"GET app.bsky.actor.getProfile":             s.getProfile,
		"POST com.atproto.repo.createRecord":        s.createRecord,
	} {
		verb, name, _ := cut(method)
		mux.HandleFunc(verb+" /xrpc/"+name, s.counted(name, serve))
	}
	mux.HandleFunc("/xrpc/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotImplemented, "MethodNotImplemented", "Method Not Implemented")
	})
	return mux
}

// counted counts the calls of a handler, under the lock, and fails them while
// the servers are down.
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
