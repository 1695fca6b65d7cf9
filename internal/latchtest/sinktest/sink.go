// Package sinktest is a receiver of webhooks that takes note of everything and
// may fail: with a 500, by breaking off in the middle of its answer, or by
// never answering. What it noted is held against the event log.
//
//	Latchkey ──▶ Sink: take, fail, break off, hang ──▶ Check(log): lost, reordered, repeated
package sinktest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// Answer is what the sink does with a request.
type Answer int

// The answers. Only what is taken counts as delivered.
const (
	Take  Answer = iota // 204
	Fail                // 500
	Break               // a part of a 200, and the connection is reset
	Hang                // nothing, until the sender gives up
	Gone                // 410
)

// Arrival is one request.
type Arrival struct {
	Path    string
	Event   string // evt_…
	Subject string // conn_…
	Answer  Answer
	At      time.Time
	Header  http.Header
	Body    []byte
}

// Sink is the receiver. One serves any number of endpoints, each by its path.
type Sink struct {
	URL      string
	mu       sync.Mutex
	arrivals []Arrival
	pending  int // requests not answered yet
	answer   func(path string) Answer
	released chan struct{} // closed: nothing hangs any more
	release  sync.Once
}

// New starts a sink that takes everything.
func New(t testing.TB) *Sink {
	s := &Sink{answer: func(string) Answer { return Take }, released: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.Release()
		server.Close()
	})
	s.URL = server.URL
	return s
}

// Answer decides what is done with the requests to a path from now on.
func (s *Sink) Answer(answer func(path string) Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// Failing takes all but the share, of which a third each fails, breaks off and
// hangs.
func Failing(share float64) func(string) Answer {
	return func(string) Answer {
		if rand.Float64() >= share {
			return Take
		}
		return Fail + Answer(rand.IntN(3))
	}
}

// Release lets go of all that hangs, for good, so that senders can stop.
func (s *Sink) Release() { s.release.Do(func() { close(s.released) }) }

// Pending returns how many requests are not answered yet.
func (s *Sink) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending
}

// Arrivals returns all requests in the order in which they came.
func (s *Sink) Arrivals() []Arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Arrival(nil), s.arrivals...)
}

// Taken returns how many different events were taken on the path.
func (s *Sink) Taken(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := map[string]bool{}
	for _, arrival := range s.arrivals {
		if arrival.Path == path && arrival.Answer == Take {
			events[arrival.Event] = true
		}
	}
	return len(events)
}

func (s *Sink) serve(w http.ResponseWriter, r *http.Request) {
	arrival, err := read(r)
	if err != nil { // it was cut off
		return
	}
	s.mu.Lock()
	arrival.Answer = s.answer(arrival.Path)
	s.arrivals = append(s.arrivals, arrival)
	s.pending++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.pending--
		s.mu.Unlock()
	}()
	switch arrival.Answer {
	case Take:
		w.WriteHeader(http.StatusNoContent)
	case Fail:
		w.WriteHeader(http.StatusInternalServerError)
	case Gone:
		w.WriteHeader(http.StatusGone)
	case Hang:
		select {
		case <-r.Context().Done():
		case <-s.released:
		}
	case Break:
		breakOff(w)
	}
}

func read(r *http.Request) (Arrival, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Arrival{}, err
	}
	var event struct {
		Data struct {
			Connection struct {
				ID string `json:"id"`
			} `json:"connection"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return Arrival{}, fmt.Errorf("read an event: %w", err)
	}
	return Arrival{
		Path: r.URL.Path, Event: r.Header.Get("Webhook-Id"), Subject: event.Data.Connection.ID, At: time.Now(),
		Header: r.Header.Clone(), Body: body,
	}, nil
}

// breakOff writes a part of an answer, of any length, and resets.
func breakOff(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	const whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	_, _ = io.WriteString(conn, whole[:rand.IntN(len(whole))])
	if reset, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = reset.SetLinger(0)
	}
	_ = conn.Close()
}
