package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
)

// cutWithin is how long the calls under way of a revoked connection may go on.
// New calls are refused from the moment at which the revocation is answered.
const cutWithin = 5 * time.Second

// fleet is two replicas on one PostgreSQL, of which both reach the provider of
// the first.
type fleet struct {
	testing.TB
	replicas []*latchtest.Server
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	options := latchtest.Options{DatabaseURL: latchtest.NewPostgres(t), Data: filepath.Join(t.TempDir(), "data")}
	f := &fleet{TB: t, replicas: []*latchtest.Server{latchtest.Start(t, options), latchtest.Start(t, options)}}
	f.replicas[1].Provider.URL = f.replicas[0].Provider.URL
	f.replicas[0].Provider.API = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/stream": // down, without end
			_, _ = io.WriteString(w, "begun")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case "/upload": // up, without end
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).EnableFullDuplex()
			_, _ = io.WriteString(w, "begun")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.Copy(io.Discard, r.Body)
		case "/silence": // no answer at all
			<-r.Context().Done()
		}
	}
	return f
}

// run is a call under way on the second replica.
type run struct {
	connection string
	begun      chan struct{}
	ended      chan time.Time
	status     int    // of an answer that was whole
	body       []byte // of it
}

// call begins a call that does not end by itself.
func (f *fleet) call(connection, path string) *run {
	r := &run{connection: connection, begun: make(chan struct{}), ended: make(chan time.Time, 1)}
	go func() {
		defer func() { r.ended <- time.Now() }()
		var body io.ReadCloser
		method, length := "GET", int64(0)
		if path == "/upload" {
			reader, writer := io.Pipe()
			body, method, length = reader, "POST", -1
			f.Cleanup(func() { _ = writer.Close() })
		}
		s := f.replicas[1]
		request, err := http.NewRequestWithContext(f.Context(), method, s.URL+"/v2/access/proxy"+path, body)
		if err != nil {
			f.Error(err)
			return
		}
		request.ContentLength = length
		request.Header.Set("apikey", s.Trial.APIKey)
		request.Header.Set("x-connection-id", connection)
		if path == "/silence" {
			close(r.begun)
		}
		response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
		if err != nil {
			return
		}
		defer func() { _ = response.Body.Close() }()
		if path != "/silence" {
			_, _ = io.ReadFull(response.Body, make([]byte, len("begun")))
			close(r.begun)
		}
		if rest, err := io.ReadAll(response.Body); err == nil {
			r.status, r.body = response.StatusCode, rest
		}
	}()
	return r
}

// taken counts the replicas that still take a call of the connection.
func (f *fleet) taken(connection string) (count int) {
	for _, replica := range f.replicas {
		answer := replica.Call("GET", "/v2/access/proxy/x", nil, "x-connection-id", connection)
		if answer.Status != http.StatusUnauthorized {
			count++
		}
	}
	return count
}

// cutAtOnce is how many calls are under way before the first is revoked: not so
// many that the provider's silence ends some by itself.
const cutAtOnce = 100

// cuts is what came of some revocations.
type cuts struct {
	taken, late int           // calls that were taken, or went on, after one
	slowest     time.Duration // from a revocation to the end of its call
}

func (c *cuts) add(more cuts) {
	c.taken, c.late, c.slowest = c.taken+more.taken, c.late+more.late, max(c.slowest, more.slowest)
}

// revoke ends the connections of the calls, eight at a time, in the ways in turn.
func (f *fleet) revoke(t *testing.T, calls []*run, ways []func(id string)) (got cuts) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	turns := make(chan struct{}, 8)
	for i, call := range calls {
		all.Go(func() {
			turns <- struct{}{}
			ways[i%2](call.connection)
			revoked := time.Now()
			one := cuts{taken: f.taken(call.connection)}
			<-turns
			select {
			case ended := <-call.ended:
				one.slowest = ended.Sub(revoked)
			case <-time.After(60 * time.Second):
				one.slowest = 60 * time.Second
			}
			if one.slowest > cutWithin {
				one.late++
			}
			if call.status != 0 && call.status != http.StatusUnauthorized {
				t.Errorf("the call got a whole answer: %d %q", call.status, call.body)
			}
			mu.Lock()
			defer mu.Unlock()
			got.add(one)
		})
	}
	all.Wait()
	return got
}

func TestARevokedConnectionTakesNoCallAndItsCallsAreCut(t *testing.T) {
	f := newFleet(t)
	revocations := scaletest.Of(20, 1000)
	ways := []func(id string){
		func(id string) {
			f.replicas[0].Want(http.StatusOK, "DELETE", "/v2/account/connections/"+id, nil)
		},
		func(id string) {
			f.replicas[0].Want(http.StatusOK, "POST", "/v2/account/connections/"+id+"/invalidate", nil)
		},
	}
	staying := f.call(linked(f.replicas[0], "", "staying"), "/stream")
	<-staying.begun
	var got cuts
	for first := 0; first < revocations; first += cutAtOnce {
		var calls []*run
		for i := first; i < min(first+cutAtOnce, revocations); i++ {
			calls = append(calls, f.call(linked(f.replicas[0], "", fmt.Sprintf("user%d", i)), []string{"/stream", "/upload", "/silence"}[i%3]))
		}
		for _, call := range calls {
			<-call.begun
		}
		got.add(f.revoke(t, calls, ways))
	}
	fmt.Printf("RESULT P-8.taken %d 0\nRESULT P-8.late %d 0\nRESULT P-8.n %d %d\n", got.taken, got.late, revocations, revocations)
	fmt.Printf("RESULT P-8.cut %d ms %d ms\n", got.slowest.Milliseconds(), cutWithin.Milliseconds())
	if got.taken != 0 {
		t.Errorf("%d calls were taken after the revocation", got.taken)
	}
	if got.late != 0 {
		t.Errorf("%d of %d were late", got.late, revocations)
	}
	select {
	case <-staying.ended:
		t.Error("a call of a live connection was cut")
	default:
	}
	f.replicas[0].ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) { app.Suspended = true })
	select {
	case <-staying.ended:
	case <-time.After(60 * time.Second):
		t.Error("a call of a suspended app goes on")
	}
}
