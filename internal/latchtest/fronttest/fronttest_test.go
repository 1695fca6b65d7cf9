package fronttest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey/internal/latchtest/fronttest"
)

func TestAFrontPassesRequestsOnOverFewConnections(t *testing.T) {
	for name, start := range map[string]func(testing.TB, string) string{"nginx": fronttest.Nginx, "haproxy": fronttest.HAProxy} {
		t.Run(name, func(t *testing.T) {
			peers := map[string]bool{}
			behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				peers[r.RemoteAddr] = true
				body, _ := io.ReadAll(r.Body)
				_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" "+string(body))
			}))
			defer behind.Close()
			address := start(t, behind.Listener.Addr().String())
			for range 20 {
				client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
				answer, err := client.Post("http://"+address+"/a", "text/plain", strings.NewReader("b"))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				if err != nil || string(body) != "POST /a b" {
					t.Fatalf("%q, %v", body, err)
				}
			}
			if len(peers) > 10 {
				t.Errorf("20 callers came over %d connections", len(peers))
			}
		})
	}
}
