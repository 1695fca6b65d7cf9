package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// hook is one webhook request that came in.
type hook struct {
	at     time.Time
	header http.Header
	body   []byte
	event  value // the body, to be read by the row that asks
}

// about reports whether the hook tells of the event type, and of the
// connection or session.
func (h hook) about(kind, subject string) bool {
	return h.event.at("type").data == any(kind) &&
		(h.event.at("data.connection.id").data == any(subject) || h.event.at("data.session.id").data == any(subject))
}

// mailbox is one webhook endpoint of the suite.
type mailbox struct {
	id, secret string // of the registered endpoint
	url        string
	reply      replier

	mu    sync.Mutex
	hooks []hook
	news  chan struct{} // closed at the next arrival
}

// replier answers the n-th request to a mailbox, from 1; nil: 204.
type replier func(n int, h hook, w http.ResponseWriter, r *http.Request)

// sink takes the webhooks of a run on loopback.
type sink struct {
	server *http.Server
	base   string
	mu     sync.Mutex
	boxes  map[string]*mailbox // by path
}

// newSink listens on a free port.
func newSink(ctx context.Context) (*sink, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for webhooks: %w", err)
	}
	k := &sink{base: "http://" + listener.Addr().String(), boxes: map[string]*mailbox{}}
	k.server = &http.Server{Handler: http.HandlerFunc(k.take), ReadHeaderTimeout: patience}
	go func() { _ = k.server.Serve(listener) }() // until close
	return k, nil
}

func (k *sink) close() { _ = k.server.Close() }

// open adds a mailbox at a path of its own.
func (k *sink) open(path string, reply replier) *mailbox {
	k.mu.Lock()
	defer k.mu.Unlock()
	box := &mailbox{url: k.base + path, reply: reply, news: make(chan struct{})}
	k.boxes[path] = box
	return box
}

// take keeps a request and answers it.
func (k *sink) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	k.mu.Lock()
	box := k.boxes[r.URL.Path]
	k.mu.Unlock()
	if box == nil || err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	came := hook{at: time.Now(), header: r.Header.Clone(), body: body}
	if json.Unmarshal(body, &came.event.data) == nil {
		came.event.present = true
	}
	n := box.keep(came)
	if box.reply == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	box.reply(n, came, w, r)
}

// keep adds a hook, tells those who wait, and returns how many there are.
func (b *mailbox) keep(came hook) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hooks = append(b.hooks, came)
	close(b.news)
	b.news = make(chan struct{})
	return len(b.hooks)
}

// all returns the hooks that have come and match, and what tells of the next.
func (b *mailbox) all(match func(hook) bool) ([]hook, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []hook
	for _, each := range b.hooks {
		if match(each) {
			found = append(found, each)
		}
	}
	return found, b.news
}

// await waits until so many hooks match, or fails the row.
func (s *suite) await(b *mailbox, what string, many int, within time.Duration, match func(hook) bool) []hook {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		found, news := b.all(match)
		if len(found) >= many {
			for i := range found {
				found[i].event.s = s
			}
			return found
		}
		select {
		case <-news:
		case <-timer.C:
			s.failf("%d of %d webhooks came within %v: %s", len(found), many, within, what)
		case <-s.ctx.Done():
			s.failf("it took too long: %s", what)
		}
	}
}

// listen registers an endpoint of the row's own for the event types.
func (s *suite) listen(events []string, reply replier) *mailbox {
	box := s.register(events, reply)
	s.later(func() { s.call(http.MethodDelete, "/v2/webhook-endpoints/"+box.id, nil) })
	return box
}

// register registers a mailbox, where the server calls loopback at all.
func (s *suite) register(events []string, reply replier) *mailbox {
	if s.core {
		s.leaveOut("the original API has no call that registers a webhook")
	}
	box := s.hooks.open("/hook/"+s.unique(), reply)
	made := s.call(http.MethodPost, "/v2/webhook-endpoints",
		map[string]any{"url": box.url, "events": events, "description": "conformance " + s.run})
	if made.status == http.StatusBadRequest && strings.HasPrefix(made.json().at("details.field").text(), "url") {
		s.leaveOut("the server does not call loopback: only latchkey dev does")
	}
	told := made.want(http.StatusCreated).json()
	box.id, box.secret = told.at("id").text(), told.at("secret").text()
	return box
}

// sharedMailbox is told everything, for the rows that only look.
type sharedMailbox struct {
	mu  sync.Mutex
	box *mailbox
}

// post returns the mailbox that the rows share.
func (s *suite) post() *mailbox {
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	if s.shared.box == nil {
		s.shared.box = s.register([]string{"*"}, nil)
	}
	return s.shared.box
}

func (m *sharedMailbox) close(s *suite) {
	if m.box != nil {
		s.call(http.MethodDelete, "/v2/webhook-endpoints/"+m.box.id, nil)
	}
}

// hear waits for the webhook of an event about a connection or session.
func (s *suite) hear(b *mailbox, kind, subject string) hook {
	return s.await(b, kind, 1, soon, func(h hook) bool { return h.about(kind, subject) })[0]
}

// soon is how long a webhook may take that nothing holds up.
const soon = 15 * time.Second

// kinds returns the event types of hooks, in order.
func kinds(hooks []hook) []string {
	var names []string
	for _, each := range hooks {
		name, _ := each.event.at("type").data.(string)
		names = append(names, name)
	}
	return slices.Clip(names)
}

// memory knows what it has seen.
type memory struct {
	mu   sync.Mutex
	seen map[string]bool
}

func newMemory() *memory { return &memory{seen: map[string]bool{}} }

// first reports whether the name is new.
func (m *memory) first(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.seen[name]
	m.seen[name] = true
	return !known
}
