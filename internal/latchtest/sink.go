package latchtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Hook is one webhook request that came in.
type Hook struct {
	Header http.Header
	Body   []byte
}

// Sink is a backend that is told by webhooks.
type Sink struct {
	URL    string
	mu     sync.Mutex
	hooks  []Hook
	answer func(n int) int
}

// NewSink starts a sink that answers 204 to everything.
func NewSink(t testing.TB) *Sink {
	s := &Sink{answer: func(int) int { return http.StatusNoContent }}
	server := httptest.NewServer(http.HandlerFunc(s.take))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Answer decides the status of the n-th request, from 1.
func (s *Sink) Answer(status func(n int) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = status
}

func (s *Sink) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.hooks = append(s.hooks, Hook{Header: r.Header.Clone(), Body: body})
	status := s.answer(len(s.hooks))
	s.mu.Unlock()
	w.WriteHeader(status)
}

// Hooks returns what has come in.
func (s *Sink) Hooks() []Hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Hook(nil), s.hooks...)
}

// Listen registers the sink for event types, all if none are named, and
// returns its signing secret.
func (s *Server) Listen(sink *Sink, events ...string) string {
	s.Helper()
	if len(events) == 0 {
		events = []string{"*"}
	}
	type endpoint struct {
		Secret string `json:"secret"`
	}
	return Decode[endpoint](s, s.Want(http.StatusCreated, "POST", "/v2/webhook-endpoints",
		map[string]any{"url": sink.URL, "events": events})).Secret
}
