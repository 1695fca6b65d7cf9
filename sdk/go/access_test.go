package latchkey_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	latchkey "latchkey/sdk/go"
)

func TestAProxiedCallGoesAsItIs(t *testing.T) {
	server := serve(t, says(http.StatusTeapot, "short and stout", "X-Upstream", "yes"))
	response, err := server.client(t, nil).Access.Do(t.Context(), "conn_1", latchkey.ProxyRequest{
		Method: http.MethodPatch, Path: "/posts/a%2Fb", Query: url.Values{"q": {"x y", "z"}}, Body: strings.NewReader("body"),
		Header: http.Header{"Content-Type": {"text/plain"}, "x-connection-id": {"conn_2"}, "apikey": {"other"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "short and stout" || response.StatusCode != http.StatusTeapot || response.Header.Get("X-Upstream") != "yes" {
		t.Errorf("got %d %q, %v", response.StatusCode, body, err)
	}
	requests, bodies := server.came()
	got := requests[0]
	if got.Method != http.MethodPatch || got.RequestURI != "/v2/access/proxy/posts/a%2Fb?q=x+y&q=z" || bodies[0] != "body" {
		t.Errorf("request %s %s %q", got.Method, got.RequestURI, bodies[0])
	}
	if got.Header.Get("Content-Type") != "text/plain" || got.Header.Get("x-connection-id") != "conn_1" || got.Header.Get("apikey") != testKey {
		t.Errorf("headers %v", got.Header)
	}
}

func TestNoPathLeavesTheProxy(t *testing.T) {
	server := serve(t)
	client := server.client(t, nil)
	for _, path := range []string{
		"..", "../self", "/../../account/whoami", "a/../../../account", "%2e%2e/self", ".%2E/self", "a/%2e%2e%2f%2e%2e/self",
		"..%2fself", "a/./b", "..%5cself", `..\self`, "a?b=c", "a#b", "a b", "a\nb", "a%", "a%zz", "ä",
	} {
		response, err := client.Access.Do(t.Context(), "conn_1", latchkey.ProxyRequest{Path: path})
		if err == nil {
			_ = response.Body.Close()
			t.Errorf("the path %q was taken", path)
		}
	}
	for _, id := range []string{"", ".", "..", "a/b", "a%2fb", "conn_1?x", "conn_1#", "conn 1", "conn_1\n", "conn_ä"} {
		if _, err := client.Connections.Get(t.Context(), id); err == nil {
			t.Errorf("the id %q was taken", id)
		}
		if _, err := client.Access.Self(t.Context(), id); err == nil {
			t.Errorf("the connection %q was taken", id)
		}
		if response, err := client.Access.Do(t.Context(), id, latchkey.ProxyRequest{Path: "me"}); err == nil {
			_ = response.Body.Close()
			t.Errorf("the connection %q was taken by the proxy", id)
		}
	}
	if requests, _ := server.came(); len(requests) != 0 {
		t.Errorf("%d requests were sent", len(requests))
	}
	for _, path := range []string{"", "me", "/me", "a//b", "...", "a..b", "a%20b", "a%252e", "@me", "a;b=c,d", "~x/:y"} {
		response, err := client.Access.Do(t.Context(), "conn_1", latchkey.ProxyRequest{Path: path})
		if err != nil {
			t.Errorf("the path %q: %v", path, err)
			continue
		}
		_ = response.Body.Close()
		requests, _ := server.came()
		if got := requests[len(requests)-1].RequestURI; got != "/v2/access/proxy/"+strings.TrimPrefix(path, "/") {
			t.Errorf("the path %q was sent as %q", path, got)
		}
	}
}
