package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
)

// big is the size of the bodies that are streamed, in bytes.
var big = scaletest.Of[int64](128<<20, 1<<30)

// What may be allocated for a body beside fixed buffers, and by how much the
// process may grow meanwhile, provider and caller included; in bytes.
const (
	memoryBudget   = 16 << 20
	residentBudget = 64 << 20
)

// zeros reads as that many zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestBigBodiesStreamBothWaysInLittleMemory(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	s.Provider.API = func(w http.ResponseWriter, r *http.Request) {
		taken, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return
		}
		w.Header().Set("X-Taken", fmt.Sprint(taken))
		_, _ = io.Copy(w, io.LimitReader(zeros{}, big))
	}
	connection := linked(s, "", "ada")
	for name, length := range map[string]int64{"with a length": big, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			debug.FreeOSMemory()
			grown := watchMemory(t)
			runtime.ReadMemStats(&before)
			response, err := send(t.Context(), s, connection, "POST", io.NopCloser(io.LimitReader(zeros{}, big)), length)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			received, err := io.Copy(io.Discard, response.Body)
			runtime.ReadMemStats(&after)
			if err != nil || received != big || response.Header.Get("X-Taken") != fmt.Sprint(big) {
				t.Errorf("sent %s and received %d bytes, want %d: %v", response.Header.Get("X-Taken"), received, big, err)
			}
			resident, allocated := grown(), after.TotalAlloc-before.TotalAlloc
			fmt.Printf("RESULT P-10.allocated %d KiB %d KiB\n", allocated>>10, memoryBudget>>10)
			fmt.Printf("RESULT P-10.resident %d MiB %d MiB\n", resident>>20, residentBudget>>20)
			if allocated > memoryBudget || resident > residentBudget {
				t.Errorf("%d bytes were allocated, may be %d; it grew by %d, may by %d", allocated, memoryBudget, resident, residentBudget)
			}
		})
	}
}

// resident returns how much memory the process has, in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var total, pages int64
	if _, err := fmt.Sscan(string(text), &total, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// watchMemory looks at the process's memory until the returned function is
// called, which returns by how much it has grown at the most.
func watchMemory(t *testing.T) (grown func() int64) {
	t.Helper()
	before, most := resident(t), int64(0)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticks := time.NewTicker(5 * time.Millisecond)
		defer ticks.Stop()
		for {
			most = max(most, resident(t)-before)
			select {
			case <-ticks.C:
			case <-stop:
				return
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-ended
		return most
	}
}

func TestACallerThatDoesNotReadHoldsTheProviderBack(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	var poured atomic.Int64
	ended := make(chan struct{})
	s.Provider.API = func(w http.ResponseWriter, _ *http.Request) {
		defer close(ended)
		block := make([]byte, 64<<10)
		for poured.Load() < 1<<30 {
			n, err := w.Write(block)
			if poured.Add(int64(n)); err != nil {
				return
			}
		}
	}
	connection := linked(s, "", "ada")
	grown := watchMemory(t)
	response, err := send(t.Context(), s, connection, "GET", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	// What the buffers of the sockets take, it pours; then it must stand still.
	last, since := int64(-1), time.Now()
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for ; time.Since(since) < time.Second; <-ticks.C {
		if now := poured.Load(); now != last {
			last, since = now, time.Now()
		}
	}
	_ = response.Body.Close()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the provider pours on")
	}
	resident := grown()
	fmt.Printf("RESULT P-10.stalled %d MiB %d MiB\n", resident>>20, residentBudget>>20)
	if resident > residentBudget || last >= 1<<30 {
		t.Errorf("it grew by %d bytes; the provider poured %d", resident, last)
	}
}

// send starts a proxied request and returns its answer unread.
func send(ctx context.Context, s *latchtest.Server, connection, method string, body io.ReadCloser, length int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.URL+"/v2/access/proxy/stream", body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = length
	request.Header.Set("apikey", s.Trial.APIKey)
	request.Header.Set("x-connection-id", connection)
	transport := &http.Transport{DisableKeepAlives: true}
	return transport.RoundTrip(request)
}

func TestBytesArriveWhileTheProviderStillWrites(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	next := make(chan struct{})
	s.Provider.API = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	}
	connection := linked(s, "", "ada")
	response, err := send(t.Context(), s, connection, "GET", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	for i := range 3 {
		want := fmt.Sprintf("data: %d\n\n", i)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != want {
			t.Fatalf("received %q, want %q: %v", got, want, err)
		}
		next <- struct{}{}
	}
}

func TestACallerThatLeavesEndsTheProvidersWork(t *testing.T) {
	for name, answering := range map[string]bool{"before the answer": false, "within the answer": true} {
		t.Run(name, func(t *testing.T) {
			s := latchtest.Start(t, latchtest.Options{})
			began, ended := make(chan struct{}), make(chan struct{})
			s.Provider.API = func(w http.ResponseWriter, r *http.Request) {
				if answering {
					_, _ = io.WriteString(w, "first")
					_ = http.NewResponseController(w).Flush()
				}
				close(began)
				<-r.Context().Done()
				close(ended)
			}
			connection := linked(s, "", "ada")
			ctx, leave := context.WithCancel(t.Context())
			gone := make(chan error, 1)
			go func() {
				response, err := send(ctx, s, connection, "GET", nil, 0)
				if err == nil {
					_, err = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
				gone <- err
			}()
			<-began
			left := time.Now()
			leave()
			if err := <-gone; err == nil {
				t.Error("the caller got a whole answer")
			}
			select {
			case <-ended:
				fmt.Printf("RESULT P-10.abort %d ms 1000 ms\n", time.Since(left).Milliseconds())
			case <-time.After(10 * time.Second):
				t.Fatal("the provider still works")
			}
			if took := time.Since(left); took > time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestAnAnswerCutShortIsCutShortForTheCaller(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	connection := linked(s, "", "ada")
	for _, sent := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
	} {
		standIn(s, sent)
		response, err := send(t.Context(), s, connection, "GET", nil, 0)
		if err != nil {
			continue // refused as a whole
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err == nil {
			t.Errorf("the caller takes %q for the whole answer", body)
		}
	}
}
