package web

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// lastCall is how long a door that is to be closed still lets in.
const lastCall = 20 * time.Millisecond

// Door is a listener that is closed without turning away who stands before it.
// The kernel completes connections before they are accepted, and resets those
// that were not when their listener is closed: their clients can't know whether
// anything was done.
type Door struct {
	net.Listener
	closed chan struct{}
	once   sync.Once
}

// NewDoor returns the door of a listener of TCP.
func NewDoor(listener net.Listener) *Door {
	return &Door{Listener: listener, closed: make(chan struct{})}
}

// Accept waits for the next connection. After the last call it closes the door
// at the first moment at which nobody waits, and returns net.ErrClosed.
func (d *Door) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, errors.Join(net.ErrClosed, d.Close())
	}
	return conn, err
}

// Close closes the door at once.
func (d *Door) Close() error {
	err := d.Listener.Close()
	d.once.Do(func() { close(d.closed) })
	return err
}

// LastCall lets in who waits or comes within a moment, and returns when the
// door is closed or ctx ends. Somebody must be accepting.
func (d *Door) LastCall(ctx context.Context) {
	bounded, ok := d.Listener.(interface{ SetDeadline(time.Time) error })
	if !ok || bounded.SetDeadline(time.Now().Add(lastCall)) != nil {
		return
	}
	select {
	case <-d.closed:
	case <-ctx.Done():
	}
}
