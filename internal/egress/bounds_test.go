package egress

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// tooSlow is how long a server of these tests would take if nobody cut it off:
// far longer than a test may last.
const tooSlow = time.Hour

// short are timeouts that a test can wait for.
func short() Timeouts {
	return Timeouts{
		Dial: time.Second, TLS: 200 * time.Millisecond, Header: 200 * time.Millisecond,
		Webhook: 400 * time.Millisecond, Provider: 400 * time.Millisecond,
	}
}

func TestSlowAnswers(t *testing.T) {
	e := newDevelopment(t, short())
	// get reads an answer to its end and returns how it ended and how long it took.
	get := func(purpose Purpose, address string) (time.Duration, error) {
		start := time.Now()
		response, err := e.Client(purpose).Get(address)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		return time.Since(start), err
	}
	isTimeout := func(err error) bool {
		timeout, ok := errors.AsType[net.Error](err)
		return ok && timeout.Timeout()
	}
	t.Run("a header that does not come is cut off", func(t *testing.T) {
		server := newPlainServer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		for _, purpose := range purposes {
			if took, err := get(purpose, server.URL); !isTimeout(err) || took > 5*time.Second {
				t.Errorf("%s: %v after %s, want a timeout", purpose, err, took)
			}
		}
	})
	t.Run("a header that drips is cut off", func(t *testing.T) {
		address := serveRaw(t, func(connection net.Conn) {
			drip(connection, "HTTP/1.1 200 OK\r\n", "X: y\r\n")
		})
		for _, purpose := range purposes {
			if took, err := get(purpose, address); !isTimeout(err) || took > 5*time.Second {
				t.Errorf("%s: %v after %s, want a timeout", purpose, err, took)
			}
		}
	})
	t.Run("a body that drips is cut off where there is a total timeout", func(t *testing.T) {
		address := serveRaw(t, func(connection net.Conn) {
			drip(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "x")
		})
		for _, purpose := range []Purpose{Webhook, Provider} {
			took, err := get(purpose, address)
			fmt.Printf("RESULT E-9.slow.%s %dms 5000ms\n", purpose, took.Milliseconds())
			if !isTimeout(err) || took > 5*time.Second {
				t.Errorf("%s: %v after %s, want a timeout", purpose, err, took)
			}
		}
	})
	t.Run("a handshake that does not come is cut off", func(t *testing.T) {
		address := serveRaw(t, func(connection net.Conn) { _, _ = io.Copy(io.Discard, connection) })
		if took, err := get(Proxy, strings.Replace(address, "http:", "https:", 1)); !isTimeout(err) || took > 5*time.Second {
			t.Errorf("%v after %s, want a timeout", err, took)
		}
	})
}

func TestLargeAnswers(t *testing.T) {
	e := newDevelopment(t, Timeouts{})
	t.Run("a header of 1 MB is refused", func(t *testing.T) {
		server := newPlainServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Large", strings.Repeat("x", 1<<20))
		})
		for _, purpose := range purposes {
			if response, err := e.Client(purpose).Get(server.URL); err == nil {
				_ = response.Body.Close()
				t.Errorf("%s: it was taken", purpose)
			}
		}
	})
	t.Run("interim answers without end are refused", func(t *testing.T) {
		address := serveRaw(t, func(connection net.Conn) {
			for {
				if _, err := io.WriteString(connection, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"); err != nil {
					return
				}
			}
		})
		for _, purpose := range purposes {
			if response, err := e.Client(purpose).Get(address); err == nil {
				_ = response.Body.Close()
				t.Errorf("%s: they were taken", purpose)
			}
		}
	})
	t.Run("a body without end is cut off, also when it is packed", func(t *testing.T) {
		chunk, packed := make([]byte, 1<<20), bomb(t, 64)
		server := newPlainServer(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/packed" {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(packed)
				return
			}
			for {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		})
		for purpose, limit := range map[Purpose]int64{Webhook: 1 << 20, Provider: 8 << 20} {
			for _, path := range []string{"/", "/packed"} {
				response, err := e.Client(purpose).Get(server.URL + path)
				if err != nil {
					t.Fatal(err)
				}
				n, err := io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				fmt.Printf("RESULT E-9.body.%s%s %d %d\n", purpose, path, n, limit)
				if _, ok := errors.AsType[*http.MaxBytesError](err); !ok || n != limit {
					t.Errorf("%s%s: %d bytes and %v, want %d and a refusal", purpose, path, n, err, limit)
				}
			}
		}
	})
	t.Run("what passes through the proxy is neither cut nor unpacked", func(t *testing.T) {
		packed := bomb(t, 64)
		server := newPlainServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed)
		})
		response, err := e.Client(Proxy).Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if got, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(got, packed) {
			t.Errorf("%d bytes and %v, want the %d that were sent", len(got), err, len(packed))
		}
	})
}

// bomb returns a number of MiB of zeros, packed.
func bomb(t *testing.T, size int) []byte {
	t.Helper()
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(packed.Bytes(), size) // members of one stream (RFC 1952, section 2.2)
}

// serveRaw answers every request on loopback by the function, once its first
// bytes have come, and returns the URL.
func serveRaw(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = connection.Close() }()
				if _, err := connection.Read(make([]byte, 4096)); err == nil {
					answer(connection)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// drip writes the start, then the drop again and again until the other side
// hangs up or tooSlow has passed.
func drip(connection net.Conn, start, drop string) {
	if _, err := io.WriteString(connection, start); err != nil {
		return
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	end := time.After(tooSlow)
	for {
		select {
		case <-end:
			return
		case <-ticker.C:
			if _, err := io.WriteString(connection, drop); err != nil {
				return
			}
		}
	}
}
