package proxy

import (
	"io"
	"net/http"
	"sync"
)

// localTransport answers requests by a handler of this process, streaming as a
// network would.
type localTransport struct{ handler http.Handler }

// RoundTrip runs the handler and returns when it has written its header.
func (t localTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	reader, writer := io.Pipe()
	answer := &localAnswer{header: http.Header{}, body: writer, begun: make(chan int, 1)}
	inbound := request.Clone(request.Context())
	inbound.RequestURI = request.URL.RequestURI()
	if inbound.Body == nil {
		inbound.Body = http.NoBody
	}
	go func() {
		defer func() {
			cause := recover()
			answer.WriteHeader(http.StatusOK)
			if cause != nil {
				_ = writer.CloseWithError(io.ErrUnexpectedEOF)
				return
			}
			_ = writer.Close()
		}()
		t.handler.ServeHTTP(answer, inbound)
	}()
	select {
	case status := <-answer.begun:
		return &http.Response{
			Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: answer.sent, Body: reader, ContentLength: -1, Request: request,
		}, nil
	case <-request.Context().Done():
		_ = reader.CloseWithError(request.Context().Err())
		return nil, request.Context().Err()
	}
}

// localAnswer is the handler's side of the pipe.
type localAnswer struct {
	header http.Header
	sent   http.Header
	body   *io.PipeWriter
	begun  chan int
	once   sync.Once
}

// Header returns the header to be sent with the first write.
func (a *localAnswer) Header() http.Header { return a.header }

// WriteHeader sends the header, once.
func (a *localAnswer) WriteHeader(status int) {
	a.once.Do(func() {
		a.sent = a.header.Clone()
		a.begun <- status
	})
}

// Write sends bytes of the body.
func (a *localAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}
