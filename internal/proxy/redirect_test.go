package proxy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"latchkey/internal/latchtest"
)

func TestRedirectsArePassedAndNotFollowed(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	var status int
	var location string
	seen := listen(s, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	})
	connection := linked(s, "", "ada")
	calls := 0
	for status = http.StatusMultipleChoices; status <= http.StatusPermanentRedirect; status++ {
		for _, location = range []string{other.URL + "/steal", "//evil.example/", "/login", s.Provider.URL + "/back", "javascript:alert(1)"} {
			for _, method := range []string{"GET", "POST"} {
				answer := s.Want(status, method, "/v2/access/proxy/start", nil, "x-connection-id", connection)
				calls++
				if got := answer.Header.Get("Location"); got != location {
					t.Errorf("%d: Location is %q, want %q", status, got, location)
				}
				s.Clock.Move(1e9) // one token a second
			}
		}
	}
	followed := elsewhere.Load() + int64(len(seen.all())-calls)
	fmt.Printf("RESULT P-6 %d of %d followed 0\n", followed, calls)
	if followed != 0 {
		t.Errorf("%d of %d redirects were followed", followed, calls)
	}
}
