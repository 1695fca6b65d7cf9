package tape

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// maxBody bounds what is kept of a body, in bytes. An answer larger than that
// is handed on whole and kept cut.
const maxBody = 1 << 20

// Exchange is one request and its answer.
type Exchange struct {
	Method        string
	URL           string
	RequestHeader http.Header
	RequestBody   []byte
	Status        int // 0 when no answer came
	Header        http.Header
	Body          []byte
	Failure       string // why no answer came
}

// Watcher is a transport that keeps what passes through it. It is safe for
// concurrent use.
type Watcher struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen []Exchange
}

// Watch returns a transport around another one.
func Watch(next http.RoundTripper) *Watcher { return &Watcher{next: next} }

// Take returns what has passed since the last call, in its order.
func (w *Watcher) Take() []Exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

// RoundTrip sends the request on and keeps both sides.
func (w *Watcher) RoundTrip(request *http.Request) (*http.Response, error) {
	seen := Exchange{Method: request.Method, URL: request.URL.String(), RequestHeader: request.Header.Clone()}
	if request.Body != nil {
		body, err := io.ReadAll(io.LimitReader(request.Body, maxBody))
		if err = closeAfter(request.Body, err); err != nil {
			return nil, fmt.Errorf("read the request's body: %w", err)
		}
		seen.RequestBody = body
		request = request.Clone(request.Context())
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	response, err := w.next.RoundTrip(request)
	if err != nil {
		seen.Failure = err.Error()
		w.keep(seen)
		return nil, err
	}
	head, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	seen.Status, seen.Header, seen.Body = response.StatusCode, response.Header.Clone(), head
	w.keep(seen)
	response.Body = &rest{Reader: io.MultiReader(bytes.NewReader(head), after(response.Body, err)), Closer: response.Body}
	return response, nil
}

// keep appends an exchange.
func (w *Watcher) keep(seen Exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, seen)
}

// rest is a body of which a part has been read.
type rest struct {
	io.Reader
	io.Closer
}

// after reads on, or fails as the part before has.
func after(body io.Reader, err error) io.Reader {
	if err != nil {
		return failing{err}
	}
	return body
}

// failing is a reader that has failed.
type failing struct{ err error }

// Read fails.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// closeAfter closes a body that was read, and returns the first error.
func closeAfter(body io.Closer, err error) error {
	if closed := body.Close(); err == nil {
		return closed
	}
	return err
}
