package latchkey_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	latchkey "latchkey/sdk/go"
)

// testKey has the look of a key and opens nothing.
const testKey = "sk_sandbox_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"

// server is an API on loopback whose answers the test decides, one by one; the
// last one is repeated.
type server struct {
	URL      string
	mu       sync.Mutex
	answers  []http.HandlerFunc
	requests []*http.Request
	bodies   []string
}

// serve starts a server. Without answers it answers everything with {}.
func serve(t *testing.T, answers ...http.HandlerFunc) *server {
	t.Helper()
	s := &server{answers: answers}
	if len(answers) == 0 {
		s.answers = []http.HandlerFunc{says(http.StatusOK, `{}`)}
	}
	started := httptest.NewServer(s)
	t.Cleanup(started.Close)
	s.URL = started.URL
	return s
}

// ServeHTTP notes the request and gives the next answer.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
	answer := s.answers[min(len(s.requests), len(s.answers))-1]
	s.mu.Unlock()
	answer(w, r)
}

// came returns the requests so far, and their bodies.
func (s *server) came() ([]*http.Request, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*http.Request(nil), s.requests...), append([]string(nil), s.bodies...)
}

// client returns a client of the server that notes in waits how long it would
// wait, and goes on at once.
func (s *server) client(t *testing.T, waits *[]time.Duration) *latchkey.Client {
	t.Helper()
	client, err := latchkey.New(latchkey.Config{BaseURL: s.URL, APIKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	client.SetWait(func(_ context.Context, delay time.Duration) error {
		if waits != nil {
			*waits = append(*waits, delay)
		}
		return nil
	})
	return client
}

// says answers with a status, a body, and pairs of header and value.
func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// breaks drops the connection without an answer.
func breaks(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
