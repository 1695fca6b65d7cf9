package egress

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"latchkey"
)

// ErrNoExit is wrapped by the error of a request for whose country there is no
// exit, or none that works.
var ErrNoExit = errors.New("no exit")

func noExit() error {
	return &latchkey.Error{
		Code: latchkey.NetworkFailed, Message: "there is no way out in the country of this connection now", Err: ErrNoExit, RetryAfter: 60,
	}
}

// unreachable is the error of a destination behind an exit.
func unreachable(cause error) error {
	return &latchkey.Error{Code: latchkey.NetworkFailed, Message: "the destination can't be reached", Err: cause, RetryAfter: 5}
}

// Serves reports whether what is for a country can go out at all: there is an
// exit in it, or no exits are configured, or the operator lets it go directly.
func (e *Egress) Serves(country string) bool { return e.exits.serves(country) }

// Choose returns the name of the exit that a way would take now, "" for the
// direct way. Without an exit that works the error wraps ErrNoExit.
func (e *Egress) Choose(way Way) (string, error) {
	exit, err := e.exits.choose(way)
	if exit == nil {
		return "", err
	}
	return exit.Name, nil
}

// ClientFor returns Client by a way out. Each request chooses its exit, so the
// client may outlive one; without any its error wraps ErrNoExit.
func (e *Egress) ClientFor(purpose Purpose, way Way) *http.Client {
	client := *e.Client(purpose)
	client.Transport = e.TransportFor(purpose, way)
	return &client
}

// TransportFor returns Transport by a way out. A purpose that has no exits is a
// mistake in the code and panics.
func (e *Egress) TransportFor(purpose Purpose, way Way) http.RoundTripper {
	if !slices.Contains(byExit, purpose) {
		panic(fmt.Sprintf("egress: no exits for %q", purpose))
	}
	return &route{exits: e.exits, purpose: purpose, way: way, direct: e.Transport(purpose)}
}

// route is the transport of a way.
type route struct {
	exits   *exits
	purpose Purpose
	way     Way
	direct  http.RoundTripper
}

// RoundTrip goes out through the exit of the way. When the exit fails before
// anything of the request has left, another of the country is tried.
func (r *route) RoundTrip(request *http.Request) (*http.Response, error) {
	if r.exits.isDirect(r.way) {
		return r.direct.RoundTrip(request)
	}
	body := &heldBody{ReadCloser: request.Body}
	defer body.release()
	var tried []*exit
	var failure error
	for {
		exit, err := r.exits.choose(r.way, tried...)
		switch {
		case err != nil && failure != nil:
			_ = body.Close()
			return nil, &latchkey.Error{
				Code: latchkey.NetworkFailed, Message: "the way out in the country of this connection fails", Err: failure, RetryAfter: 5,
			}
		case err != nil:
			_ = body.Close()
			return nil, err
		case exit == nil:
			body.release()
			return r.direct.RoundTrip(request)
		}
		response, err := exit.transports[r.purpose].RoundTrip(body.in(request))
		if _, failed := errors.AsType[*exitError](err); !failed || body.isTouched() || request.Context().Err() != nil {
			return response, err
		}
		tried, failure = append(tried, exit), err
	}
}

// heldBody is a request's body that a transport can't close while another may
// still need it.
type heldBody struct {
	io.ReadCloser
	mu       sync.Mutex
	touched  bool // something was read
	closed   bool
	released bool
}

// in returns the request with the held body.
func (b *heldBody) in(request *http.Request) *http.Request {
	if b.ReadCloser == nil || b.ReadCloser == http.NoBody {
		return request
	}
	b.mu.Lock()
	b.closed = false
	b.mu.Unlock()
	request = request.Clone(request.Context())
	request.Body = b
	return request
}

// Read notes that the body is no longer whole.
func (b *heldBody) Read(into []byte) (int, error) {
	b.mu.Lock()
	b.touched = true
	b.mu.Unlock()
	return b.ReadCloser.Read(into)
}

// Close closes the body once it is released.
func (b *heldBody) Close() error {
	b.mu.Lock()
	b.closed = true
	released := b.released
	b.mu.Unlock()
	if b.ReadCloser == nil || !released {
		return nil
	}
	return b.ReadCloser.Close()
}

func (b *heldBody) isTouched() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.touched
}

// release lets closing through, also what came before.
func (b *heldBody) release() {
	b.mu.Lock()
	pending := b.closed && !b.released
	b.released = true
	b.mu.Unlock()
	if pending && b.ReadCloser != nil {
		_ = b.ReadCloser.Close()
	}
}
