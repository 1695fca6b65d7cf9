package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/fronttest"
	"latchkey/internal/latchtest/scaletest"
)

// attacker sends smugglings at a place where Latchkey answers.
type attacker struct {
	*latchtest.Server
	recorder   *recorder
	connection string
	place      string // a name without blanks
	address    string
	desync     atomic.Int64
}

// outcome is what came back over one connection.
type outcome struct {
	statuses []int
	bodies   []string // of the answers 200
	closed   bool     // it ended; else it was given up after a while
}

// send sends bytes and reads answers until the connection ends.
func (a *attacker) send(text string, patience time.Duration) outcome {
	conn, err := net.DialTimeout("tcp", a.address, 20*time.Second)
	if err != nil {
		a.Errorf("dial: %v", err)
		return outcome{}
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, text) // it may be closed before the end
	var got outcome
	reader := bufio.NewReader(conn)
	for {
		method := http.MethodGet
		if len(got.statuses) == 0 && strings.HasPrefix(text, "HEAD") {
			method = http.MethodHead
		}
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			timeout, ok := err.(net.Error)
			got.closed = !ok || !timeout.Timeout()
			return got
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return got
		}
		if response.StatusCode < http.StatusOK {
			continue
		}
		got.statuses = append(got.statuses, response.StatusCode)
		if response.StatusCode == http.StatusOK && method != http.MethodHead {
			got.bodies = append(got.bodies, string(body))
		}
	}
}

// attack sends a smuggling with a last request behind it, and then, over
// another connection, somebody else's request.
func (a *attacker) attack(n int, c smuggling) {
	a.Clock.Move(5 * time.Second) // for the connection's rate
	prefix := fmt.Sprintf("/%s/%d", a.place, n)
	path := "/v2/access/proxy" + prefix
	last := "GET " + path + "/last HTTP/1.1\r\nHost: latchkey\r\nConnection: close\r\napikey: " + a.Trial.APIKey +
		"\r\nx-connection-id: " + a.connection + "\r\n\r\n"
	fail := func(format string, args ...any) {
		a.desync.Add(1)
		a.Errorf("%s, %.80q: %s", a.place, c.name, fmt.Sprintf(format, args...))
	}
	patience := 2 * time.Second // some wait for the rest of a body
	if c.plain {
		patience = 30 * time.Second
	}
	got := a.send(c.spell(path, a.Trial.APIKey, a.connection)+last, patience)
	if c.plain && a.place == "directly" && (len(got.statuses) != 1 || got.statuses[0] != http.StatusBadRequest || !got.closed) {
		fail("answers %v, closed %v; want 400 and the end", got.statuses, got.closed)
	}
	victim := a.send(strings.ReplaceAll(last, "/last", "/victim"), 60*time.Second)
	if !slices.Equal(victim.bodies, []string{prefix + "/victim"}) {
		fail("somebody else got %v %q", victim.statuses, victim.bodies)
	}
	for path, times := range a.recorder.seen(prefix + "/") {
		answered := slices.Contains(got.bodies, path) || strings.HasSuffix(path, "/victim")
		if times != 1 || got.closed && !answered && strings.HasSuffix(path, "/next") {
			fail("%s reached the provider %d times; the caller was answered %q", path, times, got.bodies)
		}
		if c.plain && a.place == "directly" && !strings.HasSuffix(path, "/victim") {
			fail("%s reached the provider", path)
		}
	}
	for _, body := range got.bodies {
		if !strings.HasPrefix(body, prefix+"/") || a.recorder.seen(prefix + "/")[body] != 1 {
			fail("the caller was answered %q", body)
		}
	}
}

func TestNoRequestIsSmuggled(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	connection := linked(s, "", "ada")
	kept := newRecorder(s)
	backend := strings.TrimPrefix(s.URL, "http://")
	all := smugglings()
	stride := scaletest.Of(11, 1)
	desync, sent := 0, 0
	for place, address := range map[string]string{
		"directly": backend, "nginx": fronttest.Nginx(t, backend), "haproxy": fronttest.HAProxy(t, backend),
	} {
		a := &attacker{Server: s, recorder: kept, connection: connection, place: place, address: address}
		numbers := make(chan int)
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				for n := range numbers {
					a.attack(n, all[n])
				}
			})
		}
		count := 0
		for n := range all {
			// All of our own, and of the spellings a part in the short run.
			if ofCodings := len(all) - len(ours()); n >= ofCodings || n < 2*26 || n%stride == 0 {
				numbers <- n
				count++
			}
		}
		close(numbers)
		workers.Wait()
		fmt.Printf("RESULT P-4.%s %d of %d 0\n", place, a.desync.Load(), count)
		desync += int(a.desync.Load())
		sent += count
	}
	for _, broken := range kept.broken {
		desync++
		t.Errorf("the provider got what is no request: %s", broken)
	}
	fmt.Printf("RESULT P-4 %d 0\nRESULT P-4.n %d %d\n", desync, sent, scaletest.Of(1000, 5000))
}
