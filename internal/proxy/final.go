package proxy

import (
	"context"
	"net/http"
	"net/http/httptrace"
)

// finalOnly is a transport of which only the final answer and its body come
// back. Informational answers (RFC 9110 section 15.2) and trailers could carry
// a Set-Cookie past the place where answers are cleaned, and the reverse proxy
// drops our own headers after an informational one.
type finalOnly struct{ next http.RoundTripper }

// RoundTrip passes the request on. What the transport adds to its answer at
// the end of the body, the trailers, is added to an answer that nobody reads.
func (f finalOnly) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := f.next.RoundTrip(request.WithContext(untraced{request.Context()}))
	if err != nil {
		return nil, err
	}
	answer := *response
	answer.Trailer = nil
	return &answer, nil
}

// untraced is a context without the reverse proxy's trace, by which it hears
// of informational answers.
type untraced struct{ context.Context }

// Value returns the context's value unless that is a trace.
func (u untraced) Value(key any) any {
	value := u.Context.Value(key)
	if _, trace := value.(*httptrace.ClientTrace); trace {
		return nil
	}
	return value
}
