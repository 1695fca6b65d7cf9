package spectest_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/latchtest/spectest"
)

// recorded serves a handler through a Recorder of the small description, and
// returns its address and what is reported.
func recorded(t *testing.T, handler http.HandlerFunc) (string, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var findings []string
	server := httptest.NewServer(spectest.Recorder(handler, smallSpec(t), func(finding string) {
		mu.Lock()
		defer mu.Unlock()
		findings = append(findings, finding)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		server.Close() // waits for the handlers
		mu.Lock()
		defer mu.Unlock()
		return findings
	}
}

// answerThing answers as the small description says.
func answerThing(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("x-request-id", "req_1")
	_, _ = io.WriteString(w, `{"id":"a","size":3}`)
}

func put(t *testing.T, url, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheRecorderReportsWhatDoesNotFit(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		body    string
		want    []string
	}{
		"nothing, when all fits": {answerThing, `{"size":3}`, nil},
		"a request":              {answerThing, `{"size":"3"}`, []string{"PUT /things/{id}, 200: request: size: got string, want integer"}},
		"an answer": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("x-request-id", "req_1")
			w.WriteHeader(http.StatusCreated)
			answerThing(w, r)
		}, `{"size":3}`, []string{"PUT /things/{id}, 201: the status is not described"}},
		"an answer in pieces": {func(w http.ResponseWriter, r *http.Request) {
			answerThing(w, r)
			_, _ = io.WriteString(w, "{}")
		}, `{"size":3}`, []string{"PUT /things/{id}, 200: answer: the body is not JSON"}},
		"an answer of nothing": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
		}, `{"size":3}`, []string{
			"PUT /things/{id}, 200: answer: header x-request-id is missing",
			`PUT /things/{id}, 200: answer: the media type "" is not described`,
		}},
		"headers as they were when they were sent": {func(w http.ResponseWriter, r *http.Request) {
			answerThing(w, r)
			w.Header().Del("x-request-id")
		}, `{"size":3}`, nil},
		"not what only informs": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			answerThing(w, r)
		}, `{"size":3}`, nil},
		"not an answer that was broken off": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "2")
			_, _ = io.WriteString(w, "no")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, `{"size":3}`, nil},
		"not a request that is too long to be kept": {answerThing, `{"size":"` + strings.Repeat("3", 64<<10) + `"}`, nil},
		"not an answer that is too long to be kept": {func(w http.ResponseWriter, r *http.Request) {
			answerThing(w, r)
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
		}, `{"size":3}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			url, findings := recorded(t, test.handler)
			put(t, url+"/things/a", test.body)
			got := findings()
			if !slices.Equal(got, test.want) {
				t.Errorf("reported %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheRecorderChangesNothing(t *testing.T) {
	url, findings := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("x-request-id", "req_1")
		_, _ = fmt.Fprintf(w, `{"id":%q,"size":%d,"note":"%v"}`, r.PathValue("none")+r.URL.Path, len(body), err)
	})
	long := `{"size":1,"x":"` + strings.Repeat("x", 200<<10) + `"}`
	if got, want := put(t, url+"/things/a", long), fmt.Sprintf(`{"id":"/things/a","size":%d,"note":"<nil>"}`, len(long)); got != want {
		t.Errorf("answer %s, want %s", got, want)
	}
	if got := findings(); len(got) > 0 {
		t.Error(got)
	}
}

func TestTheRecorderLetsStreamsThrough(t *testing.T) {
	more := make(chan struct{})
	url, findings := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Left", "1")
		control := http.NewResponseController(w)
		if err := control.EnableFullDuplex(); err != nil {
			t.Errorf("the writer beneath is out of reach: %v", err)
		}
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			_, _ = fmt.Fprintf(w, "got %s\n", lines.Text())
			if err := control.Flush(); err != nil {
				t.Errorf("flush: %v", err)
			}
		}
		close(more)
	})
	reader, writer := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/far/away", reader)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(writer, "one\n")
	}()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	<-sent
	lines := bufio.NewReader(answer.Body)
	for _, want := range []string{"got one\n", "got two\n"} {
		if got, err := lines.ReadString('\n'); got != want || err != nil {
			t.Fatalf("read %q and %v, want %q, before the request has ended", got, err, want)
		}
		if want == "got one\n" {
			if _, err := io.WriteString(writer, "two\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = writer.Close()
	<-more
	if got := findings(); len(got) > 0 {
		t.Error(got)
	}
}

func TestTheRecorderDoesNotCopyProxiedBodies(t *testing.T) {
	const size = 8 << 20
	handler := spectest.Recorder(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Left", "1")
		_, _ = io.Copy(struct{ io.Writer }{w}, r.Body)
	}), smallSpec(t), func(finding string) { t.Error(finding) })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	request := httptest.NewRequest(http.MethodGet, "/far/away", io.LimitReader(zeros{}, size))
	handler.ServeHTTP(discarding{http.Header{}}, request)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 512<<10 {
		t.Errorf("%d bytes were allocated for a body of %d that is not to be kept", grown, size)
	}
}

// zeros reads as endless zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// discarding is an answer that goes nowhere.
type discarding struct{ header http.Header }

func (d discarding) Header() http.Header       { return d.header }
func (discarding) Write(p []byte) (int, error) { return len(p), nil }
func (discarding) WriteHeader(int)             {}
