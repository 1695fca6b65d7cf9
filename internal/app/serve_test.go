package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/app"
)

// patience is how long something that must happen may take.
const patience = 20 * time.Second

// journal is a log that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// served is an app behind Serve.
type served struct {
	app   *app.App
	url   string
	log   *journal
	end   context.CancelFunc // as SIGTERM does
	ended chan struct{}
	cause error // how Serve ended, once ended is closed
}

// serve starts an app and returns when it serves. It ends with the test.
func serve(t *testing.T, config app.Config) *served {
	t.Helper()
	config.Data = filepath.Join(t.TempDir(), "data")
	listener, err := app.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config.APIURL, config.Development = "http://"+listener.Addr().String(), true
	s := &served{url: config.APIURL, log: &journal{}, ended: make(chan struct{})}
	s.app, err = app.New(t.Context(), config, app.Parts{Log: slog.New(slog.NewJSONHandler(s.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	s.end = end
	ready := make(chan struct{})
	go func() {
		s.cause = s.app.Serve(ctx, listener, func() { close(ready) })
		close(s.ended)
	}()
	select {
	case <-ready:
	case <-s.ended:
		t.Fatalf("it ended: %v", s.cause)
	}
	t.Cleanup(func() {
		end()
		<-s.ended
	})
	return s
}

// wait returns how Serve ended.
func (s *served) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-s.ended:
		return s.cause
	case <-time.After(patience):
		t.Fatal("it does not end")
		return nil
	}
}

// get returns the status and body of an answer.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestServe(t *testing.T) {
	t.Run("a page that waits for changes does not hold it up", func(t *testing.T) {
		s := serve(t, app.Config{})
		trial, err := s.app.Trial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v2/link/init", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("apikey", trial.APIKey)
		request.Header.Set("Content-Type", "application/json")
		made, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(made.Body)
		if err != nil {
			t.Fatal(err)
		}
		_, secret, _ := strings.Cut(string(body), s.url+"/")
		secret, _, _ = strings.Cut(secret, `"`)
		request, err = http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/s/"+secret+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = stream.Body.Close() }()
		begun := make([]byte, len("event: look"))
		if _, err := io.ReadFull(stream.Body, begun); err != nil || string(begun) != "event: look" {
			t.Fatalf("the stream begins with %q, %v", begun, err)
		}
		s.end()
		if _, err := io.Copy(io.Discard, stream.Body); err != nil {
			t.Errorf("the stream breaks: %v", err)
		}
		if err := s.wait(t); err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("a request under way is answered although it was told to end", func(t *testing.T) {
		s := serve(t, app.Config{})
		trial, err := s.app.Trial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		body, writer := io.Pipe()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v2/link/init", body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("apikey", trial.APIKey)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Expect", "100-continue")
		transport := &http.Transport{ExpectContinueTimeout: patience}
		defer transport.CloseIdleConnections()
		go func() { // the body is asked for when the handler reads: the request is under way
			_, err := io.WriteString(writer, `{"clientReferenceId":`)
			s.end()
			err = errors.Join(err, untilRefused(strings.TrimPrefix(s.url, "http://")))
			_, errWrite := io.WriteString(writer, `"user_1"}`)
			_ = writer.CloseWithError(errors.Join(err, errWrite))
		}()
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if answer, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("status %d, %v: %d bytes", response.StatusCode, err, len(answer))
		}
		if err := s.wait(t); err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("a metrics address that is taken stops the start and frees the other", func(t *testing.T) {
		taken, err := app.Listen(t.Context(), "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = taken.Close() }()
		listener, err := app.Listen(t.Context(), "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		latch, err := app.New(t.Context(), app.Config{
			Data: filepath.Join(t.TempDir(), "data"), MetricsListen: taken.Addr().String(),
		}, app.Parts{})
		if err != nil {
			t.Fatal(err)
		}
		err = latch.Serve(t.Context(), listener, func() { t.Error("it says that it is ready") })
		if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
			t.Errorf("error %v", err)
		}
		if err := untilRefused(listener.Addr().String()); err != nil {
			t.Error(err)
		}
	})
}

// untilRefused returns when nobody listens at the address any more.
func untilRefused(address string) error {
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-ticks.C {
		connection, err := (&net.Dialer{Timeout: patience}).DialContext(context.Background(), "tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil
		}
		if err == nil {
			_ = connection.Close()
		}
	}
	return errors.New("it goes on to accept connections")
}
