package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/app"
	"latchkey/internal/latchtest"
	"latchkey/internal/web"
)

// strangers returns a peer that nobody has seen yet.
func strangers() func() string {
	next := 0
	return func() string {
		next++
		return fmt.Sprintf("198.18.%d.%d:1", next/250, next%250+1)
	}
}

// guesses returns a request of every route that tells keys or links that exist
// from those that don't.
func (f forward) guesses() []request {
	var all []request
	value := regexp.MustCompile(`\{[^}]+\}`)
	for _, route := range f.App.Routes() {
		method, path, found := strings.Cut(route.Pattern, " ")
		if !found {
			method, path = "GET", route.Pattern
		}
		path = value.ReplaceAllString(path, "cs_unknown")
		switch {
		case route.Kind == web.KindAPI:
			all = append(all, request{method: method, path: path, key: "sk_sandbox_unknown", kind: jsonBody, body: "{}"})
		case route.Kind == web.KindFramed && method == "POST":
			all = append(all, request{method: method, path: path, kind: formBody, body: "version=1"})
		case route.Kind == web.KindFramed:
			all = append(all, request{method: method, path: path})
		}
	}
	return all
}

func TestAnAddressThatGuessesCannotHideBehindHeaders(t *testing.T) {
	const misses = 5
	f := forward{latchtest.Start(t, latchtest.Options{Idle: true, Limits: app.Limits{MissesPerAddress: misses}})}
	peer, escaped, tried := strangers(), 0, 0
	secret, _ := f.begun(request{})
	for _, guess := range f.guesses() {
		for _, pretence := range append(pretences, "") {
			guess.peer, guess.pretence = peer(), pretence
			if strings.HasPrefix(pretence, "Origin") && guess.method != "GET" { // a page refuses it before it looks
				continue
			}
			tried++
			for i := range misses + 1 {
				guess.says = fmt.Sprintf("203.0.113.%d", i)
				answer := f.send(guess)
				limited := answer.Code == http.StatusTooManyRequests
				if limited != (i == misses) {
					escaped++
					t.Errorf("%s %s with %q: guess %d is answered %d", guess.method, guess.path, pretence, i+1, answer.Code)
				}
			}
		}
	}
	limited := request{peer: peer(), method: "GET", path: "/cs_unknown"}
	for range misses + 3 {
		f.send(limited)
	}
	t.Run("the refusal says when to come back", func(t *testing.T) {
		for _, answer := range []*httptest.ResponseRecorder{
			f.send(limited), f.send(request{peer: limited.peer, method: "GET", path: "/v2/link/sessions", key: f.Trial.APIKey}),
			f.send(request{peer: limited.peer, method: "GET", path: "/" + secret}),
		} {
			header := answer.Header()
			if answer.Code != http.StatusTooManyRequests || header.Get("Retry-After") != "12" || header.Get("X-RateLimit-Limit") != "5" ||
				header.Get("X-RateLimit-Remaining") != "0" || header.Get("X-RateLimit-Reset") == "" {
				t.Errorf("answer %d with %v", answer.Code, header)
			}
		}
	})
	t.Run("nobody else is affected", func(t *testing.T) {
		other := request{peer: peer(), method: "GET", path: "/" + secret}
		if answer := f.send(other); answer.Code != http.StatusOK {
			t.Errorf("another address is answered %d", answer.Code)
		}
	})
	t.Run("a network of IPv6 is one address", func(t *testing.T) {
		for i := range misses {
			f.send(request{peer: fmt.Sprintf("[2001:db8:0:1::%x]:1", i+1), method: "GET", path: "/cs_unknown"})
		}
		for peer, want := range map[string]int{"[2001:db8:0:1:ffff::1]:1": http.StatusTooManyRequests, "[2001:db8:0:2::1]:1": http.StatusOK} {
			if answer := f.send(request{peer: peer, method: "GET", path: "/" + secret}); answer.Code != want {
				t.Errorf("%s is answered %d, want %d", peer, answer.Code, want)
			}
		}
	})
	fmt.Printf("RESULT L-9 %d 0\n", escaped)
	fmt.Printf("RESULT L-9.n %d 500\n", tried)
}

func TestBehindATrustedProxyTheLastHopCounts(t *testing.T) {
	const misses = 5
	f := forward{latchtest.Start(t, latchtest.Options{
		Idle: true, Limits: app.Limits{MissesPerAddress: misses}, Trusted: []string{"127.0.0.0/8"},
	})}
	const proxied, hops = "127.0.0.1:1", "X-Forwarded-For: %s"
	look := func(says string) int {
		return f.send(request{peer: proxied, method: "GET", path: "/cs_unknown", pretence: hops, says: says}).Code
	}
	for i := range misses {
		if status := look(fmt.Sprintf("203.0.113.%d, 198.51.100.1, 127.0.0.2", i)); status != http.StatusNotFound {
			t.Fatalf("guess %d is answered %d", i+1, status)
		}
	}
	for says, want := range map[string]int{
		"198.51.100.1": 429, "203.0.113.99, 198.51.100.1": 429, "198.51.100.2, 198.51.100.1, 127.9.9.9": 429, "127.0.0.1, 198.51.100.1": 429,
		"198.51.100.2": 404, "198.51.100.1, 198.51.100.3": 404, "2001:db8::1": 404,
	} {
		if status := look(says); status != want {
			t.Errorf("%s is answered %d, want %d", says, status, want)
		}
	}
	if answer := f.send(request{peer: stranger, method: "GET", path: "/cs_unknown", pretence: hops, says: "198.51.100.1"}); answer.Code != http.StatusNotFound {
		t.Errorf("a peer that is no proxy counts as the address that it names: %d", answer.Code)
	}
	for _, header := range []string{"X-Real-Ip: %s", "Forwarded: for=%s", "True-Client-Ip: %s"} {
		if answer := f.send(request{peer: proxied, method: "GET", path: "/cs_unknown", pretence: header, says: "198.51.100.1"}); answer.Code != http.StatusNotFound {
			t.Errorf("%s counts: %d", header, answer.Code)
		}
	}
}
