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
	var calls []*run
	for i := range revocations {
		calls = append(calls, f.call(linked(f.replicas[0], "", fmt.Sprintf("user%d", i)), []string{"/stream", "/upload", "/silence"}[i%3]))
	}
	staying := f.call(linked(f.replicas[0], "", "staying"), "/stream")
	for _, call := range append(calls, staying) {
		<-call.begun
	}
	var mu sync.Mutex
	var slowest time.Duration
	late, taken := 0, 0
	var all sync.WaitGroup
	turns := make(chan struct{}, 8)
	for i, call := range calls {
		all.Go(func() {
			turns <- struct{}{}
			ways[i%2](call.connection)
			revoked := time.Now()
			still := f.taken(call.connection)
			<-turns
			cut := time.Duration(0)
			select {
			case ended := <-call.ended:
				cut = ended.Sub(revoked)
			case <-time.After(60 * time.Second):
				cut = 60 * time.Second
			}
			mu.Lock()
			defer mu.Unlock()
			slowest, taken = max(slowest, cut), taken+still
			if cut > cutWithin {
				late++
			}
			if call.status != 0 && call.status != http.StatusUnauthorized {
				t.Errorf("the call got a whole answer: %d %q", call.status, call.body)
			}
		})
	}
	all.Wait()
	fmt.Printf("RESULT P-8.taken %d 0\nRESULT P-8.late %d 0\nRESULT P-8.n %d %d\n", taken, late, revocations, revocations)
	fmt.Printf("RESULT P-8.cut %d ms %d ms\n", slowest.Milliseconds(), cutWithin.Milliseconds())
	if taken != 0 {
		t.Errorf("%d calls were taken after the revocation", taken)
	}
	if late != 0 {
		t.Errorf("%d of %d were late", late, revocations)
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
