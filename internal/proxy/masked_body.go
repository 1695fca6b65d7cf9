package proxy

import (
	"errors"
	"io"
)

// errClosedBody is the error of a read after Close.
var errClosedBody = errors.New("read of a closed body")

// body masks what is read of a body, as it comes: no more is held back than
// may be the beginning of a secret.
func (m *mask) body(body io.ReadCloser, buffers *lentBuffers) io.ReadCloser {
	if len(m.forms) == 0 {
		buffers.used = bufferSize // nobody counts
		return body
	}
	return &maskedBody{body: body, mask: m, buffers: buffers}
}

// maskedBody is a body in which secrets are masked. Who reads with a buffer of
// bufferSize, as the reverse proxy does, has it masked in place.
type maskedBody struct {
	body    io.ReadCloser
	mask    *mask
	buffers *lentBuffers
	held    []byte // what was read last and may be the beginning of a secret
	err     error  // what the body ended with
	closed  bool

	buffer []byte // lent, for who reads with a smaller one; nil: nobody did
	next   int    // the first byte in it that was not handed on
	ready  int    // the end of those that are masked
}

// Read hands on what is masked.
func (b *maskedBody) Read(p []byte) (int, error) {
	if b.closed {
		return 0, errClosedBody
	}
	if len(p) >= bufferSize && b.next == b.ready {
		return b.fill(p)
	}
	for b.next == b.ready {
		if len(p) == 0 {
			return 0, nil
		}
		if b.buffer == nil {
			b.buffer = b.buffers.Get()
		}
		n, err := b.fill(b.buffer)
		if err != nil {
			return 0, err
		}
		b.next, b.ready = 0, n
	}
	n := copy(p, b.buffer[b.next:b.ready])
	b.next += n
	return n, nil
}

// fill reads more into p, at least bufferSize bytes long, and masks it. It
// returns how many bytes may be handed on; an error comes without any.
func (b *maskedBody) fill(p []byte) (int, error) {
	for b.err == nil {
		end := copy(p, b.held)
		var n int
		n, b.err = b.body.Read(p[end:])
		end += n
		b.buffers.note(end)
		b.mask.hide(p[:end])
		begun := b.mask.begun(p[:end])
		if b.err == nil {
			b.hold(p[end-begun : end])
			end -= begun
		} else if begun > shownOfCut {
			cover(p[end-begun : end])
		}
		if end > 0 {
			return end, nil
		}
	}
	return 0, b.err
}

// hold keeps bytes for the next fill.
func (b *maskedBody) hold(p []byte) {
	if len(p) > 0 && b.held == nil {
		b.held = make([]byte, 0, longestForm)
	}
	b.held = append(b.held[:0], p...)
}

// Close closes the body and gives the buffer back.
func (b *maskedBody) Close() error {
	if b.buffer != nil {
		b.buffers.Put(b.buffer)
		b.buffer = nil
	}
	clear(b.held[:cap(b.held)])
	b.next, b.ready, b.closed = 0, 0, true
	return b.body.Close()
}
