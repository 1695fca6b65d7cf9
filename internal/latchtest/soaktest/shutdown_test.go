package soaktest

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stuck begins a request whose body never comes to an end.
func (s *server) stuck() net.Conn {
	s.Helper()
	address := strings.TrimPrefix(s.url, "http://")
	connection, err := (&net.Dialer{Timeout: patience}).DialContext(s.Context(), "tcp", address)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = connection.Close() })
	_, err = fmt.Fprintf(connection, "POST /v2/link/init HTTP/1.1\r\nHost: %s\r\napikey: %s\r\nExpect: 100-continue\r\n"+
		"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n", address, s.key)
	if err != nil {
		s.Fatal(err)
	}
	if line, err := bufio.NewReader(connection).ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		s.Fatalf("want 100 Continue, got %q: %v", line, err)
	}
	return connection
}

func TestARequestThatNeverEndsIsCutShort(t *testing.T) {
	t.Parallel()
	s := newServer(t, filepath.Join(t.TempDir(), "data"))
	s.start()
	s.stuck()
	began := time.Now()
	s.signal(syscall.SIGTERM)
	status, err := s.wait(patience)
	took := time.Since(began)
	fmt.Printf("RESULT shutdown.stuck_request_ms %d %d\n", took.Milliseconds(), drainWithin.Milliseconds())
	if err != nil || status != 1 || took > drainWithin || !strings.Contains(s.log.String(), "requests were cut short") {
		t.Errorf("status %d, %v after %v:\n%s", status, err, took, s.log)
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		s := newServer(t, filepath.Join(t.TempDir(), "data"))
		s.start()
		s.stuck()
		s.signal(syscall.SIGTERM)
		eventually(t, "it closed its door", func() bool {
			connection, err := (&net.Dialer{Timeout: patience}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
			if err == nil {
				_ = connection.Close()
			}
			return err != nil
		})
		began := time.Now()
		s.signal(second)
		status, err := s.wait(patience)
		fmt.Printf("RESULT shutdown.second_%v_ms %d 10000\n", second, time.Since(began).Milliseconds())
		if err != nil || status != -1 || time.Since(began) > 10*time.Second {
			t.Errorf("%v: status %d, %v after %v", second, status, err, time.Since(began))
		}
	}
}
