package web

import (
	"errors"
	"io"
	"net/http"
	"time"

	"latchkey"
)

// bodyTime is how long a caller may take to send a body.
const bodyTime = 15 * time.Second

// bodyTime is how long the router gives a body.
func (n *note) bodyTime() time.Duration {
	if n.config == nil {
		return bodyTime
	}
	return n.config.BodyTime
}

// errTooLarge says that a body is larger than its bound.
var errTooLarge = errors.New("the body is too large")

// readBody reads a body of at most limit bytes, which must come within the
// router's time. The bytes are in one piece of memory and nowhere else, so
// that the caller can clear them. A body that was not read to its end leaves
// the deadline standing: net/http would wait for the rest of it otherwise, and
// closes the connection this way.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	control := http.NewResponseController(w)
	// The deadline is the socket's, which keeps its own time. Only a writer
	// without a connection has none, and no slow sender either.
	_ = control.SetReadDeadline(time.Now().Add(noteOf(r.Context()).bodyTime()))
	size := limit + 1
	if r.ContentLength >= 0 && r.ContentLength < limit {
		size = r.ContentLength + 1
	}
	body := make([]byte, size)
	read := 0
	for read < len(body) {
		n, err := r.Body.Read(body[read:])
		read += n
		if errors.Is(err, io.EOF) {
			_ = control.SetReadDeadline(time.Time{})
			if int64(read) > limit { // the end came with the byte that is too many
				break
			}
			return body[:read], nil
		}
		if err != nil {
			clear(body)
			return nil, latchkey.Errorf(latchkey.Invalid, "the body could not be read, or took longer than %s", bodyTime)
		}
	}
	clear(body)
	return nil, errTooLarge
}
