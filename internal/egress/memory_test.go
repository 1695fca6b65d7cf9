package egress

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// resident reads a figure of this process's memory, in KiB: VmRSS is what it
// has now, VmHWM the most that it had.
func resident(t *testing.T, figure string) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(figure + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("no %s", figure)
	}
	size, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// growth returns by how much this process's memory grew at the most while the
// function ran, in KiB.
func growth(t *testing.T, run func()) int {
	t.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200); err != nil { // the highest mark falls to what it has now
		t.Fatal(err)
	}
	before := resident(t, "VmRSS")
	run()
	return resident(t, "VmHWM") - before
}

const (
	gigabyte    = 1 << 30
	mostGrowth  = 8 << 10          // KiB
	mostPatient = 15 * time.Second // of an answer that can't be read
)

// hostileAnswers are what a server may answer to exhaust who asks.
func hostileAnswers(t *testing.T) map[string]string {
	t.Helper()
	chunk, packed := make([]byte, 64<<10), bomb(t, gigabyte>>20)
	large := newPlainServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/body":
			for range gigabyte / len(chunk) {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed)
		case "/header":
			w.Header().Set("X-Large", strings.Repeat("x", 1<<20))
		}
	})
	interim := serveRaw(t, func(connection net.Conn) {
		for range 100 {
			if _, err := io.WriteString(connection, "HTTP/1.1 103 Early Hints\r\nLink: </"+strings.Repeat("x", 1<<10)+">\r\n\r\n"); err != nil {
				return
			}
		}
		_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	dripping := serveRaw(t, func(connection net.Conn) {
		drip(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", "x")
	})
	return map[string]string{
		"body": large.URL + "/body", "bomb": large.URL + "/bomb", "header": large.URL + "/header", "interim": interim, "drip": dripping,
	}
}

func TestWhatAnAnswerCosts(t *testing.T) {
	e := newDevelopment(t, Timeouts{Webhook: time.Second, Provider: 2 * time.Second})
	answers := hostileAnswers(t)
	worstGrowth, worstTime, n := 0, time.Duration(0), 0
	for _, purpose := range []Purpose{Webhook, Provider, Logo} {
		for kind, address := range answers {
			n++
			start := time.Now()
			var read int64
			grown := growth(t, func() {
				response, err := e.Client(purpose).Get(address)
				if err != nil {
					return
				}
				read, err = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if err == nil && kind != "interim" {
					t.Errorf("%s: all of %s was taken", purpose, kind)
				}
			})
			took := time.Since(start)
			if limit := limitsOf(Timeouts{})[purpose].body; read > limit {
				t.Errorf("%s: %d bytes of %s, want at most %d", purpose, read, kind, limit)
			}
			if grown > mostGrowth || took > mostPatient {
				t.Errorf("%s: %s took %s and %d KiB", purpose, kind, took, grown)
			}
			worstGrowth, worstTime = max(worstGrowth, grown), max(worstTime, took)
		}
	}
	fmt.Printf("RESULT E-9.KiB %d %d\nRESULT E-9.ms %d %d\nRESULT E-9.n %d 15\n",
		worstGrowth, mostGrowth, worstTime.Milliseconds(), mostPatient.Milliseconds(), n)
}
