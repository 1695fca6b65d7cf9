package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
)

// canaries are the part of a canary that no encoding changes.
var canaries = regexp.MustCompile(`c4n4ry[0-9a-f]{24}`)

// fuzzed is a provider that answers in random shapes, and one account of it.
type fuzzed struct {
	*latchtest.Server
	jar        *jar
	connection string
	cookies    map[string]string // that the next request must carry
	lost       int               // of them
	calls      int
}

// listen serves the shapes, one request a connection.
func (f *fuzzed) listen(seed uint64) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = listener.Close() })
	random := rand.New(rand.NewPCG(seed, 1))
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			request, err := http.ReadRequest(bufio.NewReader(conn))
			if err == nil {
				f.answer(conn, request, random)
			}
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

// answer answers a request, and looks whether it has the cookies that were set.
// Requests come one after the other.
func (f *fuzzed) answer(conn net.Conn, request *http.Request, random *rand.Rand) {
	f.calls++
	s := &shape{random: random, secrets: []string{
		strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer "), request.Header.Get("X-Key"), request.URL.Query().Get("key"),
	}}
	has := map[string]string{}
	for pair := range strings.SplitSeq(request.Header.Get("Cookie"), "; ") {
		name, value, _ := strings.Cut(pair, "=")
		if has[name] = value; len(value) > 22 {
			s.secrets = append(s.secrets, value)
		}
	}
	for name, value := range f.cookies {
		if has[name] != value {
			f.lost++
		}
	}
	w := bufio.NewWriter(conn)
	s.answer(w, request, f.jar.secret)
	for _, pair := range s.fresh {
		name, value, _ := strings.Cut(pair, "=")
		f.cookies[name] = value
	}
}

// call returns all the bytes of an answer, and the body that they mean.
func (f *fuzzed) call(method string) []byte {
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.URL, "http://"))
	if err != nil {
		f.Error(err)
		return nil
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
	_, _ = io.WriteString(conn, head(f.Server, method, "/v2/access/proxy/a?b=c", f.connection)+"Accept-Encoding: gzip, br\r\nTE: trailers\r\nConnection: close\r\n\r\n")
	raw, err := io.ReadAll(conn)
	if err != nil {
		f.Error(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), &http.Request{Method: method})
	if err != nil {
		f.Errorf("the answer is no HTTP: %v: %.300q", err, raw)
		return raw
	}
	body, _ := io.ReadAll(response.Body) // it may be cut, as the provider's was
	if response.Header.Get("Content-Encoding") != "" || len(response.Trailer) != 0 {
		f.Errorf("Content-Encoding %q, trailers %v", response.Header.Get("Content-Encoding"), response.Trailer)
	}
	return append(raw, body...)
}

func TestNoAnswerHoldsACredential(t *testing.T) {
	answers, workers := scaletest.Of(1000, 10_000), 4
	if !canaries.MatchString(newCanary()) {
		t.Fatal("a canary would not be found")
	}
	var found, total, lost atomic.Int64
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			j := &jar{}
			s := latchtest.Start(t, latchtest.Options{Idle: true, Connectors: []connector.Connector{j}})
			f := &fuzzed{Server: s, jar: j, cookies: map[string]string{}}
			j.url = f.listen(uint64(worker))
			f.connection = j.link(s, "ada")
			for n := range answers / workers {
				s.Clock.Move(5 * time.Second) // for the connection's rate
				got := f.call([]string{"GET", "GET", "POST", "HEAD"}[n%4])
				if at := canaries.FindIndex(got); at != nil {
					found.Add(1)
					t.Errorf("answer %d of worker %d shows a secret: %q", n, worker, got[max(0, at[0]-60):at[1]])
				}
				total.Add(1)
			}
			lost.Add(int64(f.lost))
			text := s.Log.Text()
			if canaries.MatchString(text) {
				found.Add(1)
				t.Error("the log shows a secret")
			}
			if f.calls < answers/workers*99/100 || // a reused connection may have ended
				len(j.secrets()) < answers/workers/4 {
				t.Errorf("%d calls, %d secrets", f.calls, len(j.secrets()))
			}
		})
	}
	all.Wait()
	fmt.Printf("RESULT P-1 %d 0\nRESULT P-1.n %d %d\nRESULT P-1.cookies_lost %d 0\n", found.Load(), total.Load(), answers, lost.Load())
	if lost.Load() != 0 {
		t.Errorf("%d cookies that were set did not come back", lost.Load())
	}
}

func TestTheProviderIsAskedForWhatCanBeRead(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	s.Want(http.StatusOK, "GET", "/v2/access/proxy/x", nil, "x-connection-id", connection, "Accept-Encoding", "br, gzip", "TE", "trailers")
	got := seen.last(t).Header
	if got.Get("Accept-Encoding") != "identity" || got.Get("Te") != "" {
		t.Errorf("it was asked with %v", got)
	}
}

func TestATextInPiecesIsRefused(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	mediaType := ""
	listen(s, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, r.Header.Get("Authorization")[:10])
	})
	connection := linked(s, "", "ada")
	for _, c := range []struct {
		mediaType string
		want      int
	}{{"text/plain", 502}, {"application/json", 502}, {"multipart/byteranges; boundary=x", 502}, {"video/mp4", 206}, {"image/jpeg", 206}} {
		mediaType = c.mediaType
		answer := s.Call("GET", "/v2/access/proxy/x", nil, "x-connection-id", connection, "Range", "bytes=0-9")
		if answer.Status != c.want {
			t.Errorf("%s: %d, want %d", c.mediaType, answer.Status, c.want)
		}
	}
}

func TestWhatIsNoSecretIsNotMasked(t *testing.T) {
	j := &jar{}
	s := latchtest.Start(t, latchtest.Options{Connectors: []connector.Connector{j}})
	peer := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"user":"4711471147114711471147","lang":"en","mail":"ada@provider.example.org","agent":%q}`, r.UserAgent())
	})
	j.url = peer
	connection := j.link(s, "ada@provider.example.org")
	answer := s.Want(http.StatusOK, "GET", "/v2/access/proxy/x", nil, "x-connection-id", connection)
	if want := `{"user":"4711471147114711471147","lang":"en","mail":"ada@provider.example.org","agent":"Go-http-client/1.1"}`; string(answer.Body) != want {
		t.Errorf("got %s", answer.Body)
	}
}

func TestARedirectIsPassedWithoutTheCredential(t *testing.T) {
	j := &jar{}
	s := latchtest.Start(t, latchtest.Options{Connectors: []connector.Connector{j}})
	var asked atomic.Int64
	var here string
	here = newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Location", map[string]string{"/back": here}[r.URL.Path]+"/x?key="+url.QueryEscape(r.URL.Query().Get("key")))
		w.WriteHeader(http.StatusFound)
	})
	j.url = here
	connection := j.link(s, "ada")
	for _, path := range []string{"/away", "/back"} {
		answer := s.Want(http.StatusFound, "GET", "/v2/access/proxy"+path, nil, "x-connection-id", connection)
		if location := answer.Header.Get("Location"); !strings.Contains(location, "/x?key=****") || strings.Contains(location, "c4n4ry") {
			t.Errorf("Location %q", location)
		}
	}
	fmt.Printf("RESULT P-6.credentials %d followed 0\n", asked.Load()-2)
	if asked.Load() != 2 {
		t.Errorf("the provider was asked %d times", asked.Load())
	}
}
