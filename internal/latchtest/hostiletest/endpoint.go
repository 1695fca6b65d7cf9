package hostiletest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Torture is an answer that wears a client out, or leads it astray.
type Torture struct {
	Name  string // a sentence that says what the endpoint answers
	Slow  bool   // it goes on for as long as the client stays
	write func(w *bufio.Writer, canary string) error
}

// gigabytes10 is more than anybody should read.
const gigabytes10 = 10 << 30

// Tortures returns every torture.
func Tortures() []Torture {
	return []Torture{
		{Name: "a redirect to the metadata of a cloud", write: redirect("http://169.254.169.254/latest/meta-data/iam/security-credentials/")},
		{Name: "a redirect into the house", write: redirect("")},
		{Name: "a redirect that keeps the method", write: func(w *bufio.Writer, canary string) error {
			_, err := fmt.Fprintf(w, "HTTP/1.1 307 Temporary Redirect\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", canary)
			return err
		}},
		{Name: "10 GB that are announced", write: func(w *bufio.Writer, _ string) error {
			return pour(w, fmt.Sprintf("Content-Length: %d\r\n", gigabytes10))
		}},
		{Name: "10 GB that are not announced", write: func(w *bufio.Writer, _ string) error { return pour(w, "Connection: close\r\n") }},
		{Name: "one byte a second", Slow: true, write: func(w *bufio.Writer, _ string) error {
			return drip(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", strings.Repeat(" ", 1000))
		}},
		{Name: "a header of one byte a second", Slow: true, write: func(w *bufio.Writer, _ string) error {
			return drip(w, "HTTP/1.1 200 OK\r\n", "X-Slow: "+strings.Repeat("a", 1000))
		}},
		{Name: "silence", Slow: true, write: func(w *bufio.Writer, _ string) error { return drip(w, "", "") }},
		{Name: "a bomb of gzip", write: func(w *bufio.Writer, _ string) error { return bomb(w) }},
		{Name: "a million headers", write: func(w *bufio.Writer, _ string) error {
			_, _ = w.WriteString("HTTP/1.1 200 OK\r\n")
			for i := range 1_000_000 {
				if _, err := fmt.Fprintf(w, "X-%d: %d\r\n", i, i); err != nil {
					return err
				}
			}
			_, err := w.WriteString("Content-Length: 2\r\n\r\n{}")
			return err
		}},
		{Name: "a hundred thousand provisional answers", write: func(w *bufio.Writer, _ string) error {
			for range 100_000 {
				if _, err := w.WriteString("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"); err != nil {
					return err
				}
			}
			_, err := w.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
			return err
		}},
		{Name: "objects in objects without end", write: body(strings.Repeat(`{"a":`, 80_000))},
		{Name: "lists in lists without end", write: body(`{"keys":` + strings.Repeat(`[`, 400_000))},
		{Name: "a hundred thousand members", write: body(`{"keys":[` + strings.Repeat(`{},`, 100_000) + `{}]}`)},
		{Name: "a text that never ends", write: body(`{"issuer":"` + strings.Repeat("a", 600<<10) + `"}`)},
		{Name: "an answer in pieces that are not", write: func(w *bufio.Writer, _ string) error {
			_, err := w.WriteString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}")
			return err
		}},
		{Name: "an issuer that is another one", write: body(`{"issuer":"https://honest.example","sub":"person-2","access_token":"a","token_type":"mac","keys":[]}`)},
		{Name: "an answer that is no HTTP", write: func(w *bufio.Writer, _ string) error {
			_, err := w.WriteString("SSH-2.0-OpenSSH_9.2\r\n")
			return err
		}},
	}
}

// redirect answers with a redirect; "" leads to the canary.
func redirect(target string) func(*bufio.Writer, string) error {
	return func(w *bufio.Writer, canary string) error {
		if target == "" {
			target = canary
		}
		_, err := fmt.Fprintf(w, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", target)
		return err
	}
}

// body answers with JSON.
func body(text string) func(*bufio.Writer, string) error {
	return func(w *bufio.Writer, _ string) error {
		_, _ = fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(text))
		_, err := w.WriteString(text)
		return err
	}
}

// pour writes for as long as somebody reads, at most 10 GB.
func pour(w *bufio.Writer, header string) error {
	_, _ = w.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + header + "\r\n{\"a\":\"")
	block := bytes.Repeat([]byte("a"), 8<<10)
	for sent := 0; sent < gigabytes10; sent += len(block) {
		if _, err := w.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// drip writes a byte a second.
func drip(w *bufio.Writer, begin, rest string) error {
	_, _ = w.WriteString(begin)
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for i := range 60 {
		if i < len(rest) {
			_ = w.WriteByte(rest[i])
		}
		if err := w.Flush(); err != nil {
			return err
		}
		<-ticks.C
	}
	return nil
}

// packed is 16 MB of spaces, as a gzip member of a few kilobytes.
var packed = sync.OnceValue(func() []byte {
	var small bytes.Buffer
	w := gzip.NewWriter(&small)
	for range 512 {
		_, _ = w.Write(bytes.Repeat([]byte(" "), 32<<10)) // a buffer takes everything
	}
	_ = w.Close()
	return small.Bytes()
})

// bomb writes a small body that unpacks to 10 GB.
func bomb(w *bufio.Writer) error {
	_, _ = w.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n")
	for range 640 {
		if _, err := w.Write(packed()); err != nil {
			return err
		}
	}
	return nil
}

// serve answers one connection.
func (o Torture) serve(connection net.Conn, canary string) {
	defer connection.Close()
	request, err := http.ReadRequest(bufio.NewReader(connection))
	if err != nil {
		return
	}
	_ = request.Body.Close()
	w := bufio.NewWriterSize(connection, 4<<10)
	if o.write(w, canary) == nil {
		_ = w.Flush()
	}
}

// Listen starts an endpoint that answers every request with the torture, and
// returns its address. The canary is where its redirects lead.
func (o Torture) Listen(t testing.TB, canary string) string {
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
			go o.serve(connection, canary)
		}
	}()
	return "http://" + listener.Addr().String()
}
