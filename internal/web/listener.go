package web

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// lingering is how long, and lingeringBytes how much, is still read of a
// refused connection, so that its caller gets the answer and not a reset.
const (
	lingering      = 500 * time.Millisecond
	lingeringBytes = 256 << 10
)

// Strict returns a listener whose connections carry nothing but requests that
// every server reads in the same way. What two could read differently ends in
// 400, and with it the connection: nobody can smuggle a request through a proxy
// before us. It is for net/http's server without TLS.
func Strict(listener net.Listener) net.Listener { return strictListener{listener} }

type strictListener struct{ net.Listener }

// Accept returns the next connection.
func (l strictListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &strictConn{Conn: connection}, nil
}

// strictConn is a connection that is read along with.
type strictConn struct {
	net.Conn
	framing framing
	refused atomic.Bool // read by Close, perhaps on another goroutine
}

// Read reads, up to the first byte that is refused.
func (c *strictConn) Read(p []byte) (int, error) {
	if c.refused.Load() {
		return 0, errFraming
	}
	n, err := c.Conn.Read(p)
	good, refused := c.framing.take(p[:n])
	if refused == nil {
		return n, err
	}
	c.refused.Store(true)
	if good > 0 {
		return good, nil
	}
	return 0, refused
}

// CloseWrite ends what is sent, for net/http.
func (c *strictConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// Close closes the connection; one that was refused when its caller has had
// time to read why.
func (c *strictConn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.refused.Load() {
		if half.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingering)) == nil {
			_, _ = io.CopyN(io.Discard, c.Conn, lingeringBytes)
		}
	}
	return c.Conn.Close()
}
