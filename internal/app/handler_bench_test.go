package app_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey/internal/app"
	"latchkey/internal/latchtest"
)

// atOnce is how many requests a benchmark has under way at once, on each processor.
const atOnce = 64

// BenchmarkHandler drives every operation of the API that has to be fast
// through the handler of a running app, without a network: what it tells is
// what Latchkey itself costs, in time of the processor and in memory.
func BenchmarkHandler(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			server := startBench(b, engine)
			secret := server.init(b)
			for range 60 {
				server.cancel(b, server.init(b))
			}
			b.Run("status", func(b *testing.B) { server.drive(b, "GET", "/v2/link/"+secret, "") })
			b.Run("init", func(b *testing.B) { server.drive(b, "POST", "/v2/link/init", benchInit) })
			b.Run("events", func(b *testing.B) { server.drive(b, "GET", "/v2/events?limit=50", "") })
			b.Run("sessions", func(b *testing.B) { server.drive(b, "GET", "/v2/link/sessions?limit=10", "") })
			b.Run("whoami", func(b *testing.B) { server.drive(b, "GET", "/v2/account/whoami", "") })
		})
	}
}

// benchInit is the body of an init.
const benchInit = `{"redirectUrl":"http://127.0.0.1/callback","clientReferenceId":"user-4711"}`

// benched is a running app without a network.
type benched struct {
	handler http.Handler
	key     string
}

// startBench starts an app whose log is written, and thrown away by the system.
func startBench(b *testing.B, engine string) *benched {
	b.Helper()
	sink, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = sink.Close() })
	config := app.Config{Data: filepath.Join(b.TempDir(), "data"), Development: true,
		Limits: app.Limits{KeyPerMinute: -1, MissesPerAddress: -1, AttemptsPerAddress: -1, AttemptsPerAccount: -1}}
	if engine == "postgres" {
		config.DatabaseURL = latchtest.NewPostgres(b)
	}
	latch, err := app.New(b.Context(), config, app.Parts{Log: slog.New(slog.NewJSONHandler(sink, nil))})
	if err != nil {
		b.Fatal(err)
	}
	trial, err := latch.Trial(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	latch.Start(context.WithoutCancel(b.Context()))
	b.Cleanup(func() {
		if err := latch.Stop(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
	})
	return &benched{handler: latch.Handler(), key: trial.APIKey}
}

// request makes a request as net/http's server does.
func (s *benched) request(method, path, body string) *http.Request {
	request, err := http.NewRequestWithContext(context.Background(), method, "http://bench"+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.RemoteAddr = "127.0.0.1:4711"
	request.Header.Set("apikey", s.key)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	return request
}

// init begins a link and returns its client secret.
func (s *benched) init(b *testing.B) string {
	b.Helper()
	writer := &thrown{header: http.Header{}, keep: true}
	s.handler.ServeHTTP(writer, s.request("POST", "/v2/link/init", benchInit))
	var answer struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(writer.body, &answer); err != nil || writer.status != http.StatusOK {
		b.Fatalf("init: %v, %s", err, writer.body)
	}
	return answer.URL[strings.LastIndexByte(answer.URL, '/')+1:]
}

// cancel ends a link, of which there is an event.
func (s *benched) cancel(b *testing.B, secret string) {
	b.Helper()
	writer := &thrown{header: http.Header{}, keep: true}
	s.handler.ServeHTTP(writer, s.request("DELETE", "/v2/link/"+secret, ""))
	if writer.status >= http.StatusBadRequest {
		b.Fatalf("cancel: %d %s", writer.status, writer.body)
	}
}

// drive sends the request over and over, many at once.
func (s *benched) drive(b *testing.B, method, path, body string) {
	b.ReportAllocs()
	b.SetParallelism(atOnce)
	before := processor()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		writer := &thrown{header: http.Header{}}
		model := s.request(method, path, body)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		for pb.Next() {
			request := model.WithContext(ctx)
			request.Body = io.NopCloser(strings.NewReader(body))
			writer.status = 0
			clear(writer.header)
			s.handler.ServeHTTP(writer, request)
			if writer.status != http.StatusOK {
				b.Errorf("%s: status %d", path, writer.status)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64((processor()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// processor returns how long this process has had a processor.
func processor() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// thrown is an answer that nobody reads.
type thrown struct {
	header http.Header
	status int
	keep   bool
	body   []byte
}

// Header returns the answer's header.
func (t *thrown) Header() http.Header { return t.header }

// WriteHeader remembers the status.
func (t *thrown) WriteHeader(status int) { t.status = status }

// Write throws away, or keeps.
func (t *thrown) Write(p []byte) (int, error) {
	if t.status == 0 {
		t.status = http.StatusOK
	}
	if t.keep {
		t.body = append(t.body, p...)
	}
	return len(p), nil
}
