// Package latchtest starts the whole app inside a test: a real database file
// or a real PostgreSQL, real sockets, a clock that the test moves, a provider
// that the test programs, a sink for webhooks, and a person with a browser
// that knows no JavaScript.
//
//	Start(t) ─▶ Server ─▶ Call (a backend) · Visit (a person) · Sink (its webhooks)
//	                └─▶ Provider: a real HTTP server on loopback with a login, an API and a logout
package latchtest

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"latchkey/internal/api"
	"latchkey/internal/app"
	"latchkey/internal/connector"
	"latchkey/internal/egress"
	"latchkey/internal/latchtest/leaktest"
	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/latchtest/spectest"
	"latchkey/internal/store"
	"latchkey/internal/web"
)

// Options say how a server is started; the zero value is SQLite, the sandbox
// and the programmable provider.
type Options struct {
	DatabaseURL string                // empty: SQLite
	DirectURL   string                // the server itself, where DatabaseURL leads to a pooler
	Data        string                // empty: a folder of the test's own
	Connectors  []connector.Connector // beside the sandbox and the Provider
	LogLevel    slog.Level
	Idle        bool          // no background work until the test calls App.Start
	KeyFile     string        // empty: in Data; replicas share one
	Limits      app.Limits    // zero fields: no bound
	Listener    net.Listener  // where to serve; nil: a port of its own
	Trusted     []string      // proxies whose X-Forwarded-For is believed
	Egress      app.Egress    // the exits; none: everything goes out directly
	HookTimeout time.Duration // of an attempt at a webhook; zero: as in the field
	// Hurried gives the database as little time as in the field: a machine that is
	// busy with other tests can take longer.
	Hurried bool
	// Machine is the clock of the machine, which may be wrong and be set, in the
	// place of one that is the time itself; nil: that one.
	Machine *Clock
	// Around puts something between the app and the network, to see that a
	// change of what it answers is noticed; nil: nothing.
	Around func(http.Handler) http.Handler
}

// Limits and Setup are the app's, for tests of rooms that may not know it.
type (
	Limits = app.Limits
	Setup  = app.Setup
)

// Server is a running app.
type Server struct {
	testing.TB
	URL      string
	App      *app.App
	Trial    app.Trial
	Clock    *Clock
	Provider *Provider
	Log      *Log
	Data     string
	// DatabaseURL is that of the options; empty with SQLite.
	DatabaseURL string
	// Secrets are what must not stand in the log, which is searched at the end.
	// What goes through the Server's own calls is in it by itself.
	Secrets  leaktest.Secrets
	keyFile  string
	findings findings
	http     *httptest.Server
	client   *http.Client
	stop     sync.Once
}

// Start starts the app and stops it at the test's cleanup.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	if options.Data == "" {
		options.Data = filepath.Join(t.TempDir(), "data")
	}
	s := &Server{TB: t, Clock: &Clock{}, Provider: NewProvider(t), Log: &Log{}, Data: options.Data,
		DatabaseURL: options.DatabaseURL}
	if s.keyFile = options.KeyFile; s.keyFile == "" {
		s.keyFile = filepath.Join(options.Data, "vault.key")
	}
	s.client = &http.Client{
		Transport:     &http.Transport{}, // its own: to close a shared one's idle connections breaks other requests
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.http = httptest.NewUnstartedServer(nil)
	if options.Listener != nil {
		_ = s.http.Listener.Close()
		s.http.Listener = options.Listener
	}
	s.URL = "http://" + s.http.Listener.Addr().String()
	config := app.Config{
		APIURL: s.URL, Data: options.Data, DatabaseURL: options.DatabaseURL, DatabaseDirectURL: options.DirectURL, Development: true,
		KeyFile: options.KeyFile, Limits: unbounded(options.Limits), TrustedProxies: options.Trusted, Egress: options.Egress,
	}
	log := slog.New(slog.NewJSONHandler(s.Log, &slog.HandlerOptions{Level: options.LogLevel}))
	parts := app.Parts{
		Now: s.Clock.Now, Log: log, Connectors: append(options.Connectors, s.Provider),
		Outside: func(outside egress.Config) egress.Config {
			outside.Timeouts.Webhook = options.HookTimeout
			return outside
		},
	}
	if !options.Hurried {
		parts.Patience = time.Minute
	}
	if options.Machine != nil {
		s.Clock, parts.Now, parts.Machine = options.Machine, nil, options.Machine.Now
	}
	latch, err := app.New(t.Context(), config, parts)
	if err != nil {
		t.Fatal(err)
	}
	s.App = latch
	handler := latch.Handler()
	if options.Around != nil {
		handler = options.Around(handler)
	}
	s.http.Listener = web.Strict(s.http.Listener)
	s.http.Config.Handler = spectest.Recorder(handler, description(t), s.found)
	s.http.Start()
	t.Cleanup(s.Stop)
	if s.Trial, err = latch.Trial(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !options.Idle {
		latch.Start(context.WithoutCancel(t.Context()))
	}
	return s
}

// unbounded takes away the bounds that a test did not ask for, so that none
// stands in the way of what it is about. A key's is far away and not gone: its
// headers are part of every answer.
func unbounded(limits app.Limits) app.Limits {
	if limits.KeyPerMinute == 0 {
		limits.KeyPerMinute = 60_000_000
	}
	for _, limit := range []*int{&limits.MissesPerAddress, &limits.AttemptsPerAddress, &limits.AttemptsPerAccount} {
		if *limit == 0 {
			*limit = -1
		}
	}
	return limits
}

// Stop ends the app, as SIGTERM would. The cleanup does it too.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.client.CloseIdleConnections()
		s.http.Close()
		s.tellFindings()
		defer s.tellLeaks()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := s.App.Stop(ctx); err != nil {
			s.Errorf("stop the app: %v", err)
		}
	})
}

// description is the published one, read once.
func description(t testing.TB) *spectest.Spec {
	t.Helper()
	spec, err := readDescription()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

var readDescription = sync.OnceValues(func() (*spectest.Spec, error) { return spectest.New(api.Description()) })

// findings are what of the exchanges of a test does not fit the description.
// They are told at the end: a request may outlive the place where it is made.
type findings struct {
	mu   sync.Mutex
	list []string
}

// found keeps a finding.
func (s *Server) found(finding string) {
	s.findings.mu.Lock()
	defer s.findings.mu.Unlock()
	s.findings.list = append(s.findings.list, finding)
}

// tellFindings fails the test if an exchange did not fit the description.
func (s *Server) tellFindings() {
	s.findings.mu.Lock()
	defer s.findings.mu.Unlock()
	slices.Sort(s.findings.list)
	for _, finding := range slices.Compact(s.findings.list) {
		s.Errorf("not as described: %s", finding)
	}
}

// Calls returns how many store reads and facts happened while run ran.
func (s *Server) Calls(run func()) (reads, facts int64) {
	readsBefore, factsBefore := s.App.Store().Counts()
	run()
	reads, facts = s.App.Store().Counts()
	return reads - readsBefore, facts - factsBefore
}

// migrated is the PostgreSQL that every server starts from.
var migrated = pgtest.Template("latchkey", func(url string) error {
	opened, err := store.Open(context.Background(), store.Config{URL: url})
	if err != nil {
		return err
	}
	return opened.Close()
})

// NewPostgres returns the URL of a PostgreSQL database of the test's own.
func NewPostgres(t testing.TB) string { return migrated.New(t) }

// OnBothEngines runs a test on SQLite and on PostgreSQL.
func OnBothEngines(t *testing.T, run func(t *testing.T, options Options)) {
	t.Run("SQLite", func(t *testing.T) { run(t, Options{}) })
	t.Run("PostgreSQL", func(t *testing.T) { run(t, Options{DatabaseURL: migrated.New(t)}) })
}

// Clock is the time of day, moved by the test.
type Clock struct {
	mu     sync.Mutex
	frozen time.Time // where time stands still; zero: it goes on
	offset time.Duration
}

// Now returns the moved time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		return c.frozen.Add(c.offset)
	}
	return time.Now().Add(c.offset)
}

// Freeze lets time stand still at the moment, until it is moved from there.
func (c *Clock) Freeze(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen, c.offset = at, 0
}

// Move lets time pass.
func (c *Clock) Move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += by
}

// Log keeps what the app logs.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Text returns all that has been logged.
func (l *Log) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Eventually waits until check is true, looking often, and fails the test
// after ten seconds.
func Eventually(t testing.TB, what string, check func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for !check() {
		if time.Now().After(deadline) {
			t.Fatalf("it never happened that %s", what)
		}
		<-ticks.C
	}
}
