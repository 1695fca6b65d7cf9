package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// lastCall is how long a door that is to be closed still lets in, and arriving
// how long those within may take to say what they came for.
const (
	lastCall = 20 * time.Millisecond
	arriving = time.Second
)

// Door is a listener that is closed without turning away who came in time. The
// kernel completes connections before they are accepted, and resets those that
// were not when their listener is closed; and net/http drops without an answer
// what it reads as the first request of a connection after Shutdown was called.
// The clients of both can't know whether anything was done.
type Door struct {
	net.Listener
	closed chan struct{}
	once   sync.Once
	rest   []net.Conn // accepted with the last call; nil before. Of Accept alone

	mu      sync.Mutex
	waiting map[net.Conn]struct{} // connections without a request so far
	empty   chan struct{}         // closed when there are none any more; nil before the last call
}

// NewDoor returns the door of a listener of TCP.
func NewDoor(listener net.Listener) *Door {
	return &Door{Listener: listener, closed: make(chan struct{}), waiting: map[net.Conn]struct{}{}}
}

// arrival is a connection until its first request.
type arrival struct {
	conn    net.Conn
	arrived atomic.Bool
}

type arrivalKey struct{}

// Attend lets the door know which connections of the server wait for their
// first request to be read. It is called before the server serves the door.
func (d *Door) Attend(server *http.Server) {
	handler := server.Handler
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.waiting[conn] = struct{}{}
		return context.WithValue(ctx, arrivalKey{}, &arrival{conn: conn})
	}
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			d.arrive(conn)
		}
	}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if of, ok := r.Context().Value(arrivalKey{}).(*arrival); ok && of.arrived.CompareAndSwap(false, true) {
			d.arrive(of.conn)
		}
		handler.ServeHTTP(w, r)
	})
}

// arrive counts a connection as one that no longer waits for a request.
func (d *Door) arrive(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.waiting, conn)
	if len(d.waiting) == 0 && d.empty != nil {
		close(d.empty)
		d.empty = nil
	}
}

// Accept waits for the next connection. After the last call it closes the door
// at a moment at which nobody stands before it, and then returns net.ErrClosed.
func (d *Door) Accept() (net.Conn, error) {
	if d.rest == nil {
		conn, err := d.Listener.Accept()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return conn, err
		}
		d.rest = d.takeRest()
	}
	if len(d.rest) > 0 {
		conn := d.rest[0]
		d.rest = d.rest[1:]
		return conn, nil
	}
	return nil, errors.Join(net.ErrClosed, d.Close())
}

// takeRest accepts who stands before the door, shuts it and returns them. It
// does so in one go: a deadline alone is heard of some time after it has passed.
func (d *Door) takeRest() []net.Conn {
	rest := []net.Conn{}
	raw, ok := d.Listener.(syscall.Conn)
	if !ok {
		return rest
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return rest
	}
	var descriptors []int
	_ = control.Control(func(listening uintptr) {
		for {
			descriptor, _, err := syscall.Accept4(int(listening), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
			if err != nil {
				break
			}
			descriptors = append(descriptors, descriptor)
		}
		_ = syscall.Shutdown(int(listening), syscall.SHUT_RD)
	})
	for _, descriptor := range descriptors {
		file := os.NewFile(uintptr(descriptor), "connection")
		if conn, err := net.FileConn(file); err == nil {
			rest = append(rest, conn)
		}
		_ = file.Close()
	}
	return rest
}

// Close closes the door at once.
func (d *Door) Close() error {
	var err error
	d.once.Do(func() {
		err = d.Listener.Close()
		close(d.closed)
	})
	return err
}

// LastCall lets in who waits or comes within a moment, closes the door and
// returns when all who came in have said what they want, or ctx ends. Somebody
// must be accepting.
func (d *Door) LastCall(ctx context.Context) {
	bounded, ok := d.Listener.(interface{ SetDeadline(time.Time) error })
	if !ok || bounded.SetDeadline(time.Now().Add(lastCall)) != nil {
		return
	}
	select {
	case <-d.closed:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(ctx, arriving)
	defer cancel()
	select {
	case <-d.allArrived():
	case <-ctx.Done():
	}
}

// allArrived returns what is closed when nobody is waiting.
func (d *Door) allArrived() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	arrived := make(chan struct{})
	if len(d.waiting) == 0 {
		close(arrived)
	} else {
		d.empty = arrived
	}
	return arrived
}
