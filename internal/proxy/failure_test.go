package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestAProviderThatCannotBeReachedIsANetworkError(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	connection := linked(s, "", "ada")
	s.Provider.URL = "http://127.0.0.1:1"
	for _, path := range []string{"/v2/access/proxy/x", "/v2/access/self"} {
		answer := s.Call("GET", path, nil, "x-connection-id", connection)
		got := wantProblem(s, answer, http.StatusServiceUnavailable, latchkey.NetworkFailed)
		if answer.Header.Get("Retry-After") == "" || strings.Contains(got.Message, "127.0.0.1") {
			t.Errorf("%s: Retry-After %q, message %q", path, answer.Header.Get("Retry-After"), got.Message)
		}
	}
	if status := s.Connections()[0].Status; status != "active" {
		t.Errorf("the connection is %s", status)
	}
}

func TestAProviderThatSaysItIsDownIsPassedOn(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	connection := linked(s, "", "ada")
	s.Provider.Down(true)
	answer := s.Want(http.StatusServiceUnavailable, "GET", "/v2/access/proxy/x", nil, "x-connection-id", connection)
	if string(answer.Body) != "down\n" {
		t.Errorf("the answer is %q", answer.Body)
	}
}

func TestAnAnswerThatIsNoHTTPIsAProxyError(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	connection := linked(s, "", "ada")
	for _, garbage := range []string{
		"garbage\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/x.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, chunked\r\n\r\n", "", "\x16\x03\x01\x02\x00",
	} {
		standIn(s, garbage)
		answer := s.Call("GET", "/v2/access/proxy/x", nil, "x-connection-id", connection)
		wantProblem(s, answer, http.StatusBadGateway, latchkey.ProxyFailed)
	}
}

func TestWithoutAConnectionThereIsNoAccess(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	unknown := "conn_" + strings.Repeat("0", 22)
	for _, path := range []string{"/v2/access/proxy/x", "/v2/access/self"} {
		for name, id := range map[string]string{
			"none": "", "unknown": unknown, "another kind": "app_" + connection[5:], "too long": "conn_" + strings.Repeat("a", 4096),
			"a suffix": connection + "0", "a part": connection[:len(connection)-1], "injection": connection + "'--", "two in one": connection + ", " + unknown,
		} {
			answer := s.Call("GET", path, nil, "x-connection-id", id)
			wantProblem(s, answer, http.StatusUnauthorized, latchkey.SessionNotProvided)
			if id != "" && strings.Contains(string(answer.Body), id) {
				t.Errorf("%s: the id is repeated", name)
			}
		}
	}
	status, _, body := raw(s, head(s, "GET", "/v2/access/proxy/x", connection)+"x-connection-id: "+connection+"\r\n\r\n")
	if status != http.StatusUnauthorized || !strings.Contains(body, string(latchkey.SessionNotProvided)) {
		t.Errorf("a connection named twice: status %d %s", status, body)
	}
	if len(seen.all()) != 0 {
		t.Error("something reached the provider")
	}
}

func TestAKeyWithoutTheScopeHasNoAccess(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	key, _ := tenant(s, latchkey.ScopeLink, latchkey.ScopeAccount, latchkey.ScopeAdmin)
	for _, path := range []string{"/v2/access/proxy/x", "/v2/access/self"} {
		wantProblem(s, s.Call("GET", path, nil, "x-connection-id", connection, "apikey", key), http.StatusForbidden, latchkey.Forbidden)
		wantProblem(s, s.Call("GET", path, nil, "x-connection-id", connection, "apikey", ""), http.StatusUnauthorized, latchkey.Unauthorized)
	}
	if len(seen.all()) != 0 {
		t.Error("something reached the provider")
	}
}

func TestAnEndedConnectionHasNoAccess(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	expired, gone := linked(s, "", "ada"), linked(s, "", "bob")
	s.Want(http.StatusOK, "POST", "/v2/account/connections/"+expired+"/invalidate", nil)
	s.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+gone, nil)
	for _, path := range []string{"/v2/access/proxy/x", "/v2/access/self"} {
		got := wantProblem(s, s.Call("GET", path, nil, "x-connection-id", expired), http.StatusUnauthorized, latchkey.SessionExpired)
		if got.ActionRequired != "refresh_session" {
			t.Errorf("actionRequired is %q", got.ActionRequired)
		}
		wantProblem(s, s.Call("GET", path, nil, "x-connection-id", gone), http.StatusUnauthorized, latchkey.SessionNotProvided)
	}
	if len(seen.all()) != 0 {
		t.Error("something reached the provider")
	}
}

func TestAConnectionTakesNinetyAtOnceAndThenOneASecond(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	listen(s, nil)
	connection, other := linked(s, "", "ada"), linked(s, "", "bob")
	call := func(connection string) latchtest.Answer {
		return s.Call("GET", "/v2/access/proxy/x", nil, "x-connection-id", connection)
	}
	began, allowed := time.Now(), 0
	answer := call(connection)
	for ; answer.Status == http.StatusOK && allowed < 200; answer = call(connection) {
		allowed++
		for _, name := range []string{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"} {
			if len(answer.Header.Values(name)) != 1 {
				t.Fatalf("%s is %q", name, answer.Header.Values(name))
			}
		}
	}
	if refilled := int(time.Since(began).Seconds()) + 1; allowed < 90 || allowed > 90+refilled {
		t.Errorf("%d calls were allowed at once", allowed)
	}
	wantProblem(s, answer, http.StatusTooManyRequests, latchkey.RateLimited)
	headers := fmt.Sprint(answer.Header["Retry-After"], answer.Header["X-Ratelimit-Limit"], answer.Header["X-Ratelimit-Remaining"])
	if headers != "[1] [90] [0]" || answer.Header.Get("X-Ratelimit-Reset") == "" {
		t.Errorf("Retry-After, limit and remaining are %s", headers)
	}
	if status := call(other).Status; status != http.StatusOK {
		t.Errorf("another connection pays for it: status %d", status)
	}
	s.Clock.Move(time.Second)
	if status := call(connection).Status; status != http.StatusOK {
		t.Errorf("after a second: status %d", status)
	}
}
