package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"

	"latchkey/internal/app"
	"latchkey/internal/connector"
)

// BenchmarkProxy sends calls of 1 KiB and of 1 MiB through the whole of
// Latchkey in this process, and through the bare reverse proxy.
func BenchmarkProxy(b *testing.B) {
	upstream := httptest.NewServer(answers())
	defer upstream.Close()
	address, err := url.Parse(upstream.URL)
	if err != nil {
		b.Fatal(err)
	}
	t := startHere(b, upstream.URL)
	for name, path := range map[string]string{"1KiB": "/small", "1MiB": "/large"} {
		call := func(b *testing.B, handler http.Handler) {
			b.ReportAllocs()
			for i := range b.N {
				request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/v2/access/proxy"+path, nil)
				request.Header.Set("apikey", t.backend.key)
				request.Header.Set("x-connection-id", t.connections[i%len(t.connections)])
				answer := &discarded{header: http.Header{}}
				handler.ServeHTTP(answer, request)
				if answer.status != http.StatusOK {
					b.Fatalf("answered %d", answer.status)
				}
			}
		}
		b.Run(name+"/latchkey", func(b *testing.B) { call(b, t.handler) })
		b.Run(name+"/bare", func(b *testing.B) { call(b, bareProxy(address)) })
	}
}

// here is a target in this process.
type here struct {
	target
	handler http.Handler
}

// startHere starts a Latchkey on SQLite with the connections that calls need.
func startHere(b *testing.B, upstream string) *here {
	b.Helper()
	data := b.TempDir()
	sink, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = sink.Close() })
	latch, err := app.New(b.Context(), app.Config{
		Listen: "127.0.0.1:1", Data: data, Development: true,
		Limits: app.Limits{KeyPerMinute: -1, MissesPerAddress: -1, AttemptsPerAddress: -1, AttemptsPerAccount: -1},
	}, app.Parts{Log: slog.New(slog.NewJSONHandler(sink, nil)), Connectors: []connector.Connector{provider{upstream}}})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := latch.Trial(b.Context()); err != nil {
		b.Fatal(err)
	}
	latch.Start(b.Context())
	server := httptest.NewServer(latch.Handler())
	b.Cleanup(func() {
		server.Close()
		_ = latch.Stop(context.WithoutCancel(b.Context()))
	})
	t := &here{target: target{engine: "sqlite"}, handler: latch.Handler()}
	if t.backend, err = newBackend(data, server.URL); err == nil {
		err = t.fill(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// discarded is the writer of an answer that nobody reads.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header { return d.header }

func (d *discarded) WriteHeader(status int) { d.status = status }

func (d *discarded) Write(p []byte) (int, error) {
	if d.status == 0 {
		d.status = http.StatusOK
	}
	return io.Discard.Write(p)
}
