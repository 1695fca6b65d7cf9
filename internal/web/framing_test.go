package web

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// honest are requests that there is one reading of.
var honest = map[string]string{
	"without a body":     "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"of HTTP/1.0":        "GET / HTTP/1.0\r\n\r\n",
	"with a length":      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nh\ni\r\r",
	"with no length":     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\t0 \r\n\r\n",
	"in chunks":          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\na\nb\r\n0a;x=y\r\n0123456789\r\n0\r\n\r\n",
	"with a trailer":     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n",
	"two, one behind it": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\naGET / HTTP/1.1\r\nHost: a\r\n\r\n",
}

// dishonest are requests that two servers could read in two ways.
var dishonest = map[string]string{
	"a length beside chunks":     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
	"chunks beside a length":     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
	"two lengths":                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\ncontent-length: 4\r\n\r\n",
	"a list of lengths":          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\n",
	"a signed length":            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\n",
	"a padded length":            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 04\r\n\r\n",
	"an empty length":            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
	"an endless length":          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n",
	"another coding":             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	"identity":                   "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
	"chunked, twice":             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	"chunked in HTTP/1.0":        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	"a bare LF in the header":    "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
	"a bare LF after the line":   "GET / HTTP/1.1\nHost: a\r\n\r\n",
	"a bare LF at the end":       "GET / HTTP/1.1\r\nHost: a\r\n\n",
	"a bare CR":                  "GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: w\r\n\r\n",
	"CR CR LF":                   "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
	"a folded line":              "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
	"a space before the colon":   "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\n\r\n",
	"a name that is none":        "GET / HTTP/1.1\r\nHost: a\r\n: 4\r\n\r\n",
	"a line without a colon":     "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
	"a request of HTTP/0.9":      "GET /\r\n",
	"another version":            "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
	"HTTP/2":                     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"too many words":             "GET / x HTTP/1.1\r\nHost: a\r\n\r\n",
	"a chunk with a bare LF":     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
	"a chunk that is longer":     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
	"a chunk of no size":         "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
	"a chunk in other digits":    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
	"a chunk beyond all bounds":  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
	"an extension with a CR":     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\rb\r\na\r\n0\r\n\r\n",
	"an extension without end":   "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("a", 2000) + "\r\n",
	"a length in a trailer":      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 4\r\n\r\n",
	"a folded trailer":           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n z\r\n\r\n",
	"a trailer with a bare LF":   "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n",
	"a second request like that": "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\nHost: a\r\n\r\n",
}

// boundaries reads along byte by byte and returns where requests end.
func boundaries(p []byte) (ends []int, err error) {
	var f framing
	within := false
	for i := range p {
		if _, err := f.take(p[i : i+1]); err != nil {
			return ends, err
		}
		if f.at != partRequestLine {
			within = true
		} else if within {
			ends, within = append(ends, i+1), false
		}
	}
	return ends, nil
}

func TestFramingLetsHonestRequestsThrough(t *testing.T) {
	for name, text := range honest {
		if good, err := new(framing).take([]byte(text)); err != nil || good != len(text) {
			t.Errorf("%s: %d of %d bytes, %v", name, good, len(text), err)
		}
		ends, err := boundaries([]byte(text))
		if err != nil || len(ends) == 0 || ends[len(ends)-1] != len(text) {
			t.Errorf("%s: it ends at %v of %d bytes, %v", name, ends, len(text), err)
		}
	}
}

func TestFramingRefusesWhatCouldBeReadInTwoWays(t *testing.T) {
	for name, text := range dishonest {
		whole, err := new(framing).take([]byte(text))
		if err == nil || whole >= len(text) {
			t.Errorf("%s: %d bytes pass", name, whole)
		}
		if _, err := boundaries([]byte(text)); err == nil {
			t.Errorf("%s: it passes byte by byte", name)
		}
	}
}

// FuzzFramingReadsAsNetHTTPDoes holds that requests end where net/http says
// they do, for all that is let through.
func FuzzFramingReadsAsNetHTTPDoes(f *testing.F) {
	for _, texts := range []map[string]string{honest, dishonest} {
		for _, text := range texts {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		ends, _ := boundaries(p)
		counted := &countingReader{from: bytes.NewReader(p)}
		buffered := bufio.NewReader(counted)
		for n := 0; ; n++ {
			request, err := http.ReadRequest(buffered)
			if err != nil {
				return // net/http may be stricter; there is no request then
			}
			if _, err := io.Copy(io.Discard, request.Body); err != nil {
				return
			}
			end := counted.n - buffered.Buffered()
			if n < len(ends) && ends[n] != end {
				t.Fatalf("request %d of %q ends at %d, net/http says %d", n, p, ends[n], end)
			}
			if n >= len(ends) { // it has been refused before its end
				return
			}
		}
	})
}

// countingReader counts what is read.
type countingReader struct {
	from io.Reader
	n    int
}

// Read reads.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += n
	return n, err
}

func TestARefusedConnectionIsAnsweredAndClosed(t *testing.T) {
	served := make(chan string, 8)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		served <- r.Method + string(body)
	}))
	server.Listener = Strict(server.Listener)
	server.Start()
	defer server.Close()
	for name, text := range dishonest {
		if name == "a second request like that" || strings.Contains(text, "chunked\r\n\r\n") {
			continue // the first is served; the handler sees a body that breaks off
		}
		connection, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
		_, err = io.WriteString(connection, text+strings.Repeat("more", 100))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(connection) // until it is closed
		_ = connection.Close()
		if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 400 Bad Request\r\n")) || bytes.Count(answer, []byte("HTTP/1.1")) != 1 {
			t.Errorf("%s: %q, %v", name, answer, err)
		}
	}
	if len(served) != 0 {
		t.Errorf("%q was served", <-served)
	}
	names := slices.Collect(func(yield func(string) bool) {
		for name := range honest {
			if !yield(name) {
				return
			}
		}
	})
	for _, name := range names {
		response, err := http.Post(server.URL, "text/plain", strings.NewReader(name))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := <-served; got != "POST"+name {
			t.Errorf("served %q, want %q", got, name)
		}
	}
}
