package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
)

func TestAPathThatLeavesTheBaseIsRefused(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	for _, path := range []string{
		"..", "../me", "a/../../b", ".", "./a", "a/./b", "%2e%2e", "%2e%2e/me", ".%2e/me", "%2E./me", "a/%2e%2e/%2e%2e/b",
		"..%2fme", "a%2f..%2f..%2fb", "%2e%2e%2fme", "..%5cme", "a%5c..%5cb", "a\\b", "%5c%5cevil.example%5cx",
		"a%00b", "a%00/../b", "a%0d%0aHost:%20evil", "a%0ab", "..;/me", "a/..;x=1/b", "%2e%2e%3b/me",
	} {
		before := len(seen.all())
		status, _, body := raw(s, head(s, "GET", "/v2/access/proxy/"+path, connection)+"\r\n")
		if status != http.StatusBadRequest && status != http.StatusNotFound || len(seen.all()) != before {
			t.Errorf("%q: status %d %s, %d requests reached the provider", path, status, body, len(seen.all())-before)
		}
		s.Clock.Move(1e9)
	}
}

func TestAPathInsideTheBaseArrivesAsItWasSent(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	for _, target := range []string{
		"", "a", "a/b/", "a%20b", "a%2Fb", "a%2fb", "%e2%82%ac", "a+b", "a;v=1/b", "...", "a..b/..c", "~user/(x)!*'", "a:b@c", "%252e%252e/x",
		"http:%2f%2fevil.example%2f", "@evil.example", ":8080", "x?", "x?a=1&a=2", "x?a=%zz&b;c", "x?q=%2e%2e/../", "x?a=b%00&=&&",
		"x?" + strings.Repeat("k=v&", 1000), "x?u=http://evil.example/?x=1", "x?a=\"<>`{}|^",
	} {
		status, _, body := raw(s, head(s, "GET", "/v2/access/proxy/"+target, connection)+"\r\n")
		if status != http.StatusOK {
			t.Errorf("%.60q: status %d %s", target, status, body)
			continue
		}
		if got := seen.last(t).URI; got != "/"+target {
			t.Errorf("sent %.60q, the provider saw %.60q", target, got)
		}
		s.Clock.Move(1e9)
	}
}

func TestASpellingOfTheRouteItselfIsRefused(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	for _, target := range []string{
		"/v2/access/%70roxy/x", "/v2/%61ccess/proxy/x", "/V2/access/proxy/x", "/v2/access/proxy", "/v2/access/proxyx", "//v2/access/proxy/x",
		"/v2/access/self/x", "http://evil.example/v2/other/x", "*",
	} {
		status, _, _ := raw(s, head(s, "GET", target, connection)+"\r\n")
		if status < 300 || len(seen.all()) != 0 {
			t.Errorf("%q: status %d, %d requests reached the provider", target, status, len(seen.all()))
		}
	}
}

func TestMethodsThatTunnelOrEchoAreRefused(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	for _, method := range []string{"TRACE", "CONNECT", "TRACK", "PROPFIND", "get", "PRI", "X"} {
		for _, target := range []string{"/v2/access/proxy/x", "evil.example:443"} {
			status, _, body := raw(s, head(s, method, target, connection)+"\r\n")
			if status < 300 || strings.Contains(body, s.Trial.APIKey) {
				t.Errorf("%s %s: status %d: %s", method, target, status, body)
			}
		}
	}
	if arrivals := seen.all(); len(arrivals) != 0 {
		t.Errorf("%d requests reached the provider, the first %s", len(arrivals), arrivals[0].Method)
	}
}
