package app_test

import (
	"net/http"
	"testing"
	"time"

	"latchkey/internal/app"
)

func TestLeavingIsToldBeforeTheDoorIsClosed(t *testing.T) {
	s := serve(t, app.Config{DrainDelay: 2 * time.Second})
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ask := func(path string) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer
	}
	if answer := ask("/readyz"); answer.StatusCode != http.StatusOK || answer.Close {
		t.Fatalf("before: %d, closes=%v", answer.StatusCode, answer.Close)
	}
	s.end()
	deadline := time.Now().Add(patience)
	for answer := ask("/readyz"); answer.StatusCode != http.StatusServiceUnavailable; answer = ask("/readyz") {
		if time.Now().After(deadline) {
			t.Fatal("it never says that it leaves")
		}
	}
	if answer := ask("/healthz"); answer.StatusCode != http.StatusOK || !answer.Close {
		t.Errorf("while it leaves it answers %d, closes=%v", answer.StatusCode, answer.Close)
	}
	if err := s.wait(t); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestADelayThatLeavesNoTimeToDrainIsRefused(t *testing.T) {
	for _, delay := range []time.Duration{-1, 10*time.Second + 1} {
		if latch, err := app.New(t.Context(), app.Config{Data: t.TempDir(), DrainDelay: delay}, app.Parts{}); err == nil {
			t.Error(delay, "was taken", latch.Stop(t.Context()))
		}
	}
}
