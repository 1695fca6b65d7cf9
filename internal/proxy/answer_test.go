package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/latchtest"
)

// canary is what a provider would set as a session of its own.
const canary = "canary-0815"

func TestTheAnswerComesAsItCame(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	listen(s, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.tester+json")
		w.Header().Set("Etag", `"7"`)
		w.Header()["X-Twice"] = []string{"a", "b"}
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, "%s %s", r.Method, r.URL.Path)
	})
	connection := linked(s, "", "ada")
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"} {
		answer := s.Want(http.StatusTeapot, method, "/v2/access/proxy/tea/pot", nil, "x-connection-id", connection)
		want := method + " /tea/pot"
		if method == "HEAD" {
			want = ""
		}
		if string(answer.Body) != want || answer.Header.Get("Etag") != `"7"` || len(answer.Header["X-Twice"]) != 2 ||
			answer.Header.Get("Content-Type") != "application/vnd.tester+json" {
			t.Errorf("%s: %q, %v", method, answer.Body, answer.Header)
		}
	}
}

func TestWhatAnAnswerMustNotSayIsWithheld(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	withheld := []string{
		"Set-Cookie", "Set-Cookie2", "Authorization", "Proxy-Authorization", "Proxy-Authenticate", "Authentication-Info",
		"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Request-Id", "Strict-Transport-Security",
		"Content-Security-Policy", "Cache-Control", "Alt-Svc", "Clear-Site-Data", "Access-Control-Allow-Origin",
		"Access-Control-Allow-Credentials", "Public-Key-Pins", "X-Content-Type-Options", "Referrer-Policy",
	}
	listen(s, func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range withheld {
			w.Header().Add(name, canary)
			w.Header().Add(name, canary)
		}
	})
	connection := linked(s, "", "ada")
	answer := s.Want(http.StatusOK, "GET", "/v2/access/proxy/x", nil, "x-connection-id", connection)
	if strings.Contains(fmt.Sprint(answer.Header), canary) {
		t.Errorf("the caller saw %v", answer.Header)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Ratelimit-Limit": "90", "X-Content-Type-Options": "nosniff",
	} {
		if got := answer.Header.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q once", name, got, want)
		}
	}
}

func TestNothingComesBesideTheAnswer(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	connection := linked(s, "", "ada")
	cookie := "Set-Cookie: session=" + canary + "\r\n"
	for name, sent := range map[string]string{
		"early hints": "HTTP/1.1 103 Early Hints\r\n" + cookie + "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"announced trailer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie, X-Sum\r\n\r\n2\r\nok\r\n0\r\n" +
			cookie + "X-Sum: " + canary + "\r\n\r\n",
		"unannounced trailer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n" + cookie + "\r\n",
		"a name with a space": "HTTP/1.1 200 OK\r\nSet-Cookie : session=" + canary + "\r\nContent-Length: 2\r\n\r\nok",
		"a folded line":       "HTTP/1.1 200 OK\r\nX-A: b\r\n Set-Cookie: c\r\nSet-Cookie: a=\r\n " + canary + "\r\nContent-Length: 2\r\n\r\nok",
		"cookie of an error":  "HTTP/1.1 500 Oops\r\n" + cookie + "Content-Length: 2\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			standIn(s, sent)
			response, body, hints := callFully(t, s, connection)
			seen := fmt.Sprint(response.Header, response.Trailer, hints)
			if body != "ok" || strings.Contains(seen, canary) {
				t.Errorf("body %q, headers, trailers and hints %s", body, seen)
			}
			if response.Header.Get("X-Request-Id") == "" || response.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("our own headers are gone: %v", response.Header)
			}
		})
	}
}

// callFully calls the provider and returns all that came back: the answer with
// its trailers, and the headers of informational answers.
func callFully(t *testing.T, s *latchtest.Server, connection string) (*http.Response, string, []string) {
	t.Helper()
	var mu sync.Mutex
	var hints []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			mu.Lock()
			defer mu.Unlock()
			hints = append(hints, fmt.Sprint(code, header))
			return nil
		},
	})
	response, body := get(ctx, t, s, connection)
	mu.Lock()
	defer mu.Unlock()
	return response, body, hints
}

func get(ctx context.Context, t *testing.T, s *latchtest.Server, connection string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/v2/access/proxy/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("apikey", s.Trial.APIKey)
	request.Header.Set("x-connection-id", connection)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(bufio.NewReader(response.Body))
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestTheCredentialIsInNoAnswer(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	status := http.StatusOK
	listen(s, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", r.Header.Get("Authorization"))
		w.Header().Set("Authentication-Info", r.Header.Get("Authorization"))
		w.WriteHeader(status)
	})
	connection := linked(s, "", "ada")
	token := s.Provider.Tokens()[0]
	var answers []latchtest.Answer
	for _, status = range []int{200, 204, 301, 400, 401, 403, 404, 429, 500, 503} {
		answers = append(answers, s.Call("GET", "/v2/access/proxy/x", nil, "x-connection-id", connection))
	}
	for _, path := range []string{"/v2/access/self", "/v2/access/proxy/me", "/v2/access/proxy/..%2fme", "/v2/account/connections"} {
		answers = append(answers, s.Call("GET", path, nil, "x-connection-id", connection))
	}
	standIn(s, "Bearer "+token+" is not HTTP\r\n\r\n")
	answers = append(answers, s.Call("GET", "/v2/access/proxy/x", nil, "x-connection-id", connection),
		s.Call("GET", "/v2/access/self", nil, "x-connection-id", connection))
	for i, answer := range answers {
		if strings.Contains(fmt.Sprint(answer.Header), token) || strings.Contains(string(answer.Body), token) {
			t.Errorf("answer %d with status %d holds the credential", i, answer.Status)
		}
	}
	if strings.Contains(s.Log.Text(), token) {
		t.Error("the log holds the credential")
	}
}
