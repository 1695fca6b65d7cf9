package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/web"
)

// served is a router with one route of every kind.
func served(secure bool) *kit {
	k := newKit(func(config *web.Config) { config.Secure = secure })
	page := func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, "page")
		return nil
	}
	k.API("GET /api", latchkey.ScopeLink, page)
	for _, method := range []string{"GET", "POST"} {
		k.Browser(method+" /browser", page)
		k.Framed(method+" /framed", page)
	}
	k.Public("GET /public", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = page(w, r) }))
	return k
}

func TestEveryKindOfRouteHasItsHeaders(t *testing.T) {
	const closed = "default-src 'none'; frame-ancestors 'none'"
	const page = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'; form-action 'self'; frame-ancestors "
	k := served(true)
	for _, test := range []struct {
		path string
		want map[string]string
	}{
		{"/api", map[string]string{"Content-Security-Policy": closed, "Cache-Control": "no-store"}},
		{"/nowhere", map[string]string{"Content-Security-Policy": closed, "Cache-Control": "no-store"}},
		{"//api", map[string]string{"Content-Security-Policy": closed, "Cache-Control": "no-store"}},
		{"/public", map[string]string{"Content-Security-Policy": closed, "Cross-Origin-Resource-Policy": "same-origin"}},
		{"/browser", map[string]string{
			"Content-Security-Policy": page + "'none'", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Strict-Transport-Security": "max-age=63072000",
			"Permissions-Policy":        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		}},
		{"/framed", map[string]string{
			"Content-Security-Policy": page + "'self'", "Cache-Control": "no-store", "X-Frame-Options": "",
			"Cross-Origin-Opener-Policy": "unsafe-none", "Cross-Origin-Resource-Policy": "same-origin",
			"Strict-Transport-Security": "max-age=63072000",
		}},
	} {
		t.Run(test.path, func(t *testing.T) {
			w := k.get(test.path)
			test.want["X-Content-Type-Options"], test.want["Referrer-Policy"] = "nosniff", "no-referrer"
			for name, want := range test.want {
				if values := w.Header().Values(name); strings.Join(values, "|") != want {
					t.Errorf("%s is %q, want %q", name, values, want)
				}
			}
			if !latchkey.ValidID(w.Header().Get("x-request-id"), "req_") {
				t.Errorf("request id %q", w.Header().Get("x-request-id"))
			}
			for name := range w.Header() {
				if name == "Set-Cookie" || strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("header %s is sent", name)
				}
			}
		})
	}
	if got := served(false).get("/framed").Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("without HTTPS: Strict-Transport-Security %q", got)
	}
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	k := served(false)
	for _, test := range []struct {
		name    string
		allowed bool
		headers []string
	}{
		{"the page's own form", true, []string{"Sec-Fetch-Site", "same-origin"}},
		{"typed by the person", true, []string{"Sec-Fetch-Site", "none"}},
		{"an old browser's own form", true, []string{"Origin", "http://example.com"}},
		{"no browser at all", true, nil},
		{"another site's form", false, []string{"Sec-Fetch-Site", "cross-site"}},
		{"a sister site's form", false, []string{"Sec-Fetch-Site", "same-site"}},
		{"an old browser from another site", false, []string{"Origin", "https://evil.example"}},
		{"a sandboxed frame", false, []string{"Origin", "null"}},
		{"another port", false, []string{"Origin", "http://example.com:81"}},
	} {
		for _, path := range []string{"/browser", "/framed"} {
			t.Run(test.name+" to "+path, func(t *testing.T) {
				w := k.send(httptest.NewRequest(http.MethodPost, path, strings.NewReader("a=b")), test.headers...)
				if allowed := w.Code == http.StatusOK; allowed != test.allowed {
					t.Fatalf("status %d: %s", w.Code, w.Body)
				}
				if !test.allowed && (w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "another site")) {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
				if w.Header().Get("Content-Security-Policy") == "" {
					t.Error("there is no policy on the answer")
				}
			})
		}
	}
	if w := k.send(httptest.NewRequest(http.MethodGet, "/framed", nil), "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusOK {
		t.Errorf("a link from another site: status %d", w.Code)
	}
}

func TestOnlyExactOriginsMayFrame(t *testing.T) {
	policy := func(origins, targets []string) (ancestors, actions string) {
		header := http.Header{}
		web.AllowFraming(header, origins, targets)
		for directive := range strings.SplitSeq(header.Get("Content-Security-Policy"), "; ") {
			name, value, _ := strings.Cut(directive, " ")
			switch name {
			case "frame-ancestors":
				ancestors = value
			case "form-action":
				actions = value
			}
		}
		return ancestors, actions
	}
	ancestors, actions := policy([]string{"https://shop.example", "http://localhost:3000", "https://[::1]:8443"},
		[]string{"https://shop.example", "com.example.shop:"})
	if ancestors != "'self' https://shop.example http://localhost:3000 https://[::1]:8443" ||
		actions != "'self' https://shop.example com.example.shop:" {
		t.Errorf("framed by %q, leads to %q", ancestors, actions)
	}
	for _, hostile := range []string{
		"", "*", "https:", "https://", "http://*", "https://*.example", "https://a.example https://b.example",
		"https://a.example;script-src *", "https://a.example,https://b.example", "https://a.example\r\nX: y",
		"https://a.example\thttps://b.example", "https://a.example\fhttps://b.example", "https://a.example\vx",
		"https://a.example\x00", "https://a.example\u00a0https://b.example", "https://bücher.example", "'unsafe-inline'",
		"'self'", `"https://a.example"`, "data:", "blob:", "javascript:", "null", "https://a.example/path", "https://a.example/",
		"https://a.example?x", "https://a.example#x", "https://user@a.example", "HTTPS://a.example", "//a.example", "a.example",
		"https://:443", "ws://a.example", "file://", "https://%61.example",
	} {
		ancestors, _ := policy([]string{hostile, "https://shop.example"}, nil)
		if ancestors != "'self' https://shop.example" {
			t.Errorf("%q: framed by %q", hostile, ancestors)
		}
		header := http.Header{}
		web.AllowFraming(header, nil, []string{hostile})
		if value := header.Get("Content-Security-Policy"); strings.Count(value, ";") != 9 || strings.ContainsAny(value, "\r\n\f\v\x00\u00a0*") {
			t.Errorf("%q as a target: %q", hostile, value)
		}
	}
}
