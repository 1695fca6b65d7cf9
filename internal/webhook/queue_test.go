package webhook

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"latchkey"
)

// queue is a Store in memory that keeps order per endpoint and subject, with
// leases and fences.
type queue struct {
	mu       sync.Mutex
	lanes    []*lane
	status   map[string]latchkey.EndpointStatus // by endpoint id; absent: enabled
	paced    map[string]time.Time
	rate     int // of every endpoint; zero: MaxRate
	finishes int
	fail     func(finish int) error // of the n-th FinishDelivery, from 1
	outcomes []latchkey.DeliveryOutcome
	wake     func() // called when a finish has made the next of a lane due
}

// lane is what waits for one endpoint about one subject.
type lane struct {
	endpoint   latchkey.WebhookEndpoint
	subject    string
	events     []latchkey.Delivery
	attempts   int // of the first event
	dueAt      time.Time
	leaseUntil time.Time
	fence      int64
}

func (q *queue) push(delivery latchkey.Delivery) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lanes {
		if l.endpoint.ID == delivery.Endpoint.ID && l.subject == delivery.Subject {
			l.events = append(l.events, delivery)
			return
		}
	}
	q.lanes = append(q.lanes, &lane{endpoint: delivery.Endpoint, subject: delivery.Subject, events: []latchkey.Delivery{delivery}})
}

func (q *queue) DueEndpoints(_ context.Context, now time.Time, after string, limit int) ([]latchkey.DueEndpoint, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	due := map[string]bool{}
	for _, l := range q.lanes {
		if l.endpoint.ID > after && q.isDue(l, now) {
			due[l.endpoint.ID] = true
		}
	}
	var list []latchkey.DueEndpoint
	for _, id := range slices.Sorted(maps.Keys(due)) {
		list = append(list, latchkey.DueEndpoint{ID: id, RateLimit: cmp.Or(q.rate, MaxRate), PacedUntil: q.paced[id]})
	}
	return list[:min(len(list), limit)], nil
}

func (q *queue) isDue(l *lane, now time.Time) bool {
	return len(l.events) > 0 && q.status[l.endpoint.ID] == "" && !l.dueAt.After(now) && !l.leaseUntil.After(now)
}

func (q *queue) ClaimDeliveries(_ context.Context, now time.Time, lease time.Duration, shares []latchkey.DeliveryShare,
) ([]latchkey.Delivery, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var claimed []latchkey.Delivery
	for _, share := range shares {
		taken := 0
		for _, l := range q.lanes {
			if taken == share.Most || l.endpoint.ID != share.EndpointID || !q.isDue(l, now) {
				continue
			}
			l.fence++
			l.leaseUntil = now.Add(lease)
			head := l.events[0]
			head.Attempt, head.Fence = l.attempts+1, l.fence
			claimed = append(claimed, head)
			taken++
		}
		if q.paced == nil {
			q.paced = map[string]time.Time{}
		}
		q.paced[share.EndpointID] = share.From.Add(time.Duration(taken) * share.Interval)
	}
	return claimed, nil
}

func (q *queue) FinishDelivery(ctx context.Context, delivery latchkey.Delivery, outcome latchkey.DeliveryOutcome) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.finishes++
	if q.fail != nil {
		if err := q.fail(q.finishes); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, l := range q.lanes {
		if l.endpoint.ID != delivery.Endpoint.ID || l.subject != delivery.Subject {
			continue
		}
		if l.fence != delivery.Fence {
			return latchkey.Errorf(latchkey.Conflict, "claimed by another")
		}
		q.outcomes = append(q.outcomes, outcome)
		l.apply(outcome)
		if outcome.Delivered && q.wake != nil {
			q.wake()
		}
		switch {
		case outcome.Disable:
			q.status[l.endpoint.ID] = latchkey.EndpointDisabled
		case !outcome.Delivered && outcome.RetryAt.IsZero():
			q.status[l.endpoint.ID] = latchkey.EndpointParked
		}
		return nil
	}
	return latchkey.Errorf(latchkey.NotFound, "no such delivery")
}

func (l *lane) apply(outcome latchkey.DeliveryOutcome) {
	l.leaseUntil = time.Time{}
	if outcome.Delivered {
		l.events, l.attempts, l.dueAt = l.events[1:], 0, time.Time{}
		return
	}
	l.attempts++
	l.dueAt = outcome.RetryAt
}

// waiting returns how many events are not delivered.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, l := range q.lanes {
		n += len(l.events)
	}
	return n
}

// sink is a real HTTP server on a network of pipes, so that it lives in the
// virtual time of a synctest bubble.
type sink struct {
	conns  chan net.Conn
	closed chan struct{}
	server *http.Server
	client *http.Client
}

// newSink starts a sink. Its client reaches nothing else, whatever the URL.
func newSink(t *testing.T, handler http.HandlerFunc) *sink {
	t.Helper()
	s := &sink{conns: make(chan net.Conn), closed: make(chan struct{}), server: &http.Server{Handler: handler}}
	transport := &http.Transport{DialContext: s.dial}
	s.client = &http.Client{Transport: transport, Timeout: attemptTimeout}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.server.Serve(s)
	}()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = s.server.Close()
		<-done
	})
	return s
}

func (s *sink) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case s.conns <- far:
		return near, nil
	case <-s.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept returns the far end of the next pipe.
func (s *sink) Accept() (net.Conn, error) {
	select {
	case conn := <-s.conns:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listening.
func (s *sink) Close() error {
	close(s.closed)
	return nil
}

// Addr names the network.
func (s *sink) Addr() net.Addr { return &net.UnixAddr{Name: "sink", Net: "pipe"} }
