package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"latchkey/internal/latchtest"
)

// big is the size of the bodies that are streamed, in bytes, and memoryBudget
// is what may be allocated for one beside fixed buffers.
const (
	big          = 64 << 20
	memoryBudget = 16 << 20
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
			grown := after.TotalAlloc - before.TotalAlloc
			fmt.Printf("RESULT P-10.allocated %d KiB %d KiB\n", grown>>10, memoryBudget>>10)
			if grown > memoryBudget {
				t.Errorf("%d bytes were allocated, may be %d", grown, memoryBudget)
			}
		})
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
