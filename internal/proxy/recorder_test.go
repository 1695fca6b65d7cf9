package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"latchkey/internal/latchtest"
)

// recorder is a provider that keeps every byte of each request, and answers
// with the path that was asked for.
type recorder struct {
	address string
	mu      sync.Mutex
	paths   map[string]int // of the requests that came in
	broken  []string       // what was no well-formed request
}

// newRecorder starts a recorder where the provider is from now on.
func newRecorder(s *latchtest.Server) *recorder {
	s.Helper()
	listener, err := (&net.ListenConfig{}).Listen(s.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = listener.Close() })
	r := &recorder{address: listener.Addr().String(), paths: map[string]int{}}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	s.Provider.URL = "http://" + r.address
	return r
}

// serve answers the requests of a connection until something is no request.
func (r *recorder) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	var raw bytes.Buffer
	reader := bufio.NewReader(io.TeeReader(conn, &raw))
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			if left := raw.Bytes(); len(left) > 0 {
				r.breaks(left, err)
			}
			return
		}
		_, err = io.Copy(io.Discard, request.Body)
		whole := bytes.Clone(raw.Bytes()[:raw.Len()-reader.Buffered()])
		raw.Next(len(whole))
		if err != nil {
			return // the caller left
		}
		r.mu.Lock()
		r.paths[request.URL.Path]++
		r.mu.Unlock()
		if reason := malformed(whole); reason != "" {
			r.breaks(whole, fmt.Errorf("%s", reason))
		}
		body := request.URL.Path
		if request.Method == http.MethodHead {
			body = ""
		}
		_, err = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(request.URL.Path), body)
		if err != nil {
			return
		}
	}
}

// malformed says what is wrong with the bytes of a request.
func malformed(whole []byte) string {
	head, _, ok := strings.Cut(string(whole), "\r\n\r\n")
	lengths, hosts := 0, 0
	for line := range strings.SplitSeq(head, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch strings.ToLower(name) {
		case "content-length", "transfer-encoding":
			lengths++
		case "host":
			hosts++
		}
		if strings.ContainsAny(line, "\r\n\x00") || strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			return "a line is not one"
		}
	}
	if !ok || lengths > 1 || hosts != 1 {
		return fmt.Sprintf("%d lengths and %d hosts", lengths, hosts)
	}
	return ""
}

func (r *recorder) breaks(whole []byte, cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = append(r.broken, fmt.Sprintf("%v: %.200q", cause, whole))
}

// seen returns how often each path below the prefix came in.
func (r *recorder) seen(prefix string) map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[string]int{}
	for path, n := range r.paths {
		if strings.HasPrefix(path, prefix) {
			found[path] = n
		}
	}
	return found
}
