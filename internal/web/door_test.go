package web_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/web"
)

// Connections that the kernel has completed are answered, though the server is
// told to leave before it accepts them.
func TestWhoStandsBeforeTheDoorIsAnswered(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	door := web.NewDoor(listener)
	const waiting = 50
	var conns []net.Conn
	for range waiting {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\n"); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })}
	door.Attend(server)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(door) }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	called := make(chan struct{})
	go func() {
		door.LastCall(ctx)
		close(called)
	}()
	for _, conn := range conns { // the rest of what they say comes after the call
		if _, err := io.WriteString(conn, "Host: x\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	<-called
	if err := server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("the server ended with %v", err)
	}
	for i, conn := range conns {
		answer, err := io.ReadAll(conn)
		if err != nil || len(answer) == 0 {
			t.Errorf("connection %d got %q, %v", i, answer, err)
		}
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the last call: %v", err)
	}
}

// A door that nobody told is closed like any listener.
func TestADoorCanBeClosedAtOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	door := web.NewDoor(listener)
	if err := door.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := door.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accepting ended with %v", err)
	}
}
