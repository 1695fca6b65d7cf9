package connector

import (
	"bytes"
	"io"
	"sync"
)

// secretBody is a request body that clears its bytes when the transport closes
// it, which may be after the answer has come.
type secretBody struct {
	mu   sync.Mutex
	rest []byte
	all  []byte
}

// NewSecretBody returns a request body of which nothing stays in memory once
// the transport has closed it. It takes a copy of b, which stays the caller's.
func NewSecretBody(b []byte) io.ReadCloser { return newSecretBody(bytes.Clone(b)) }

// newSecretBody takes ownership of b.
func newSecretBody(b []byte) *secretBody { return &secretBody{rest: b, all: b} }

// Read reads on; a closed body is at its end.
func (b *secretBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close clears the bytes.
func (b *secretBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.all)
	b.rest = nil
	return nil
}
