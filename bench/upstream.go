package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// The sizes of the upstream's answers, in bytes.
const (
	smallAnswer = 1 << 10
	largeAnswer = 1 << 20
)

// serveUpstream is the provider behind the proxy, with answers of two sizes,
// and the receiver of webhooks, which counts them.
func serveUpstream(ctx context.Context) error {
	listener, err := listen(ctx)
	if err != nil {
		return err
	}
	mux := answers()
	var received atomic.Int64
	mux.HandleFunc("POST /webhooks", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		received.Add(1)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /received", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, received.Load())
	})
	return serveUntilEOF(ctx, listener, &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second})
}

// answers is the provider's API: an answer of each size.
func answers() *http.ServeMux {
	mux := http.NewServeMux()
	for path, size := range map[string]int{"/small": smallAnswer, "/large": largeAnswer} {
		body := bytes.Repeat([]byte("a"), size)
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(body)
		})
	}
	return mux
}
