package proxy

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"

	"latchkey"
)

// request returns a request as the server would read it, or nil when it would
// refuse the target.
func request(target string) *http.Request {
	parsed, err := url.ParseRequestURI(target)
	if err != nil {
		return nil
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL, r.RequestURI = parsed, target
	return r
}

func TestTheTargetIsTheBaseWithThePathAndTheQuery(t *testing.T) {
	for _, c := range []struct{ base, sent, want string }{
		{"https://api.example", "me", "https://api.example/me"},
		{"https://api.example/", "me", "https://api.example/me"},
		{"https://api.example/v1", "me/", "https://api.example/v1/me/"},
		{"https://api.example/v1/", "", "https://api.example/v1/"},
		{"https://api.example/a%2Fb", "c%2Fd", "https://api.example/a%2Fb/c%2Fd"},
		{"https://api.example:8443/v1?key=1", "x?y=2", "https://api.example:8443/v1/x?y=2"},
		{"https://api.example", "x?", "https://api.example/x?"},
		{"https://api.example", "x?a=%zz;b=1&c", "https://api.example/x?a=%zz;b=1&c"},
		{"https://api.example", "@evil.example/:80", "https://api.example/@evil.example/:80"},
	} {
		base, err := url.Parse(c.base)
		if err != nil {
			t.Fatal(err)
		}
		got, err := targetOf(base, request("/v2/access/proxy/"+c.sent))
		if err != nil || got.String() != c.want {
			t.Errorf("%s and %q: %v, %v, want %s", c.base, c.sent, got, err, c.want)
		}
		if base.String() != c.base {
			t.Errorf("the base was changed to %s", base)
		}
	}
}

func TestATargetOutsideTheBaseIsABadRequest(t *testing.T) {
	base := &url.URL{Scheme: "https", Host: "api.example", Path: "/v1"}
	for _, sent := range []string{
		"/v2/access/proxy/..", "/v2/access/proxy/a/%2e%2e/b", "/v2/access/proxy/%2e", "/v2/access/proxy/..%5cx",
		"/v2/access/proxy/a%00b", "/v2/access/proxy/a%0db", "/v2/access/proxy/..;x/y", "/v2/access/%70roxy/x", "/v2/access/proxy",
	} {
		if got, err := targetOf(base, request(sent)); latchkey.CodeOf(err) != latchkey.Invalid {
			t.Errorf("%q: %v, %v", sent, got, err)
		}
	}
}

func FuzzTheTargetNeverLeavesTheBase(f *testing.F) {
	for _, seed := range []string{"", "me", "..", "%2e%2e/x", "a//../b", "..;/", "%5c..", "?a=b", "//evil.example", "%252e%252e", "a%2f..", "#x"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "api.example", Path: "/v1/app"}
	f.Fuzz(func(t *testing.T, sent string) {
		r := request("/v2/access/proxy/" + sent)
		if r == nil {
			return
		}
		got, err := targetOf(base, r)
		if err != nil {
			return
		}
		if got.Scheme != base.Scheme || got.Host != base.Host || got.User != nil || got.Fragment != "" {
			t.Fatalf("%q leads to %s", sent, got)
		}
		for _, form := range []string{got.Path, got.EscapedPath(), strings.ReplaceAll(got.Path, `\`, "/")} {
			if clean := path.Clean(form) + "/"; !strings.HasPrefix(clean, "/v1/app/") || !strings.HasPrefix(form, "/v1/app/") {
				t.Fatalf("%q leads to %s", sent, form)
			}
		}
		again, err := url.Parse(got.String())
		if err != nil || again.Host != base.Host || again.RawQuery != got.RawQuery || again.Path != got.Path {
			t.Fatalf("%q is written as %s, which reads as %v, %v", sent, got, again, err)
		}
	})
}
