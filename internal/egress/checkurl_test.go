package egress

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"latchkey"
)

func TestCheckURL(t *testing.T) {
	production := New(Config{})
	development := New(Config{AllowLoopback: true})
	for _, c := range []struct {
		url       string
		prod, dev bool
	}{
		{"https://hooks.example.com/in?token=x", true, true},
		{"https://hooks.example.com:443/in", true, true},
		{"https://HOOKS.example.com./in", true, true},
		{"https://xn--bcher-kva.example/", true, true},
		{"https://93.184.216.34/in", true, true},
		{"https://[2606:2800:220:1:248:1893:25c8:1946]/", true, true},

		{"http://hooks.example.com/in", false, true},
		{"http://hooks.example.com:80/", false, true},
		{"https://hooks.example.com:80/", false, true},
		{"https://localhost:8443/", false, true},
		{"http://localhost:3000/hook", false, true},
		{"http://app.localhost/", false, true},
		{"http://127.0.0.1:9/", false, true},
		{"http://127.255.255.254/", false, true},
		{"http://[::1]:3000/", false, true},

		{"https://hooks.example.com:8443/", false, false},
		{"https://hooks.example.com:22/", false, false},
		{"https://hooks.example.com:0/", false, false},
		{"https://hooks.example.com:0443/", false, false},
		{"https://hooks.example.com:65979/", false, false},
		{"https://hooks.example.com:/", false, false},
		{"https://93.184.216.34:6379/", false, false},
		{"http://127.0.0.1:0/", false, false},
		{"https://user@hooks.example.com/", false, false},
		{"https://user:password@hooks.example.com/", false, false},
		{"https://@hooks.example.com/", false, false},
		{"https://hooks.example.com/#part", false, false},
		{"https://hooks.example.com/#", false, false},
		{"", false, false},
		{"hooks.example.com", false, false},
		{"//hooks.example.com/", false, false},
		{"https:hooks.example.com", false, false},
		{"https:///path", false, false},
		{"https://:443/", false, false},
		{"ftp://hooks.example.com/", false, false},
		{"javascript:alert(1)", false, false},
		{"file:///etc/passwd", false, false},
		{" https://hooks.example.com/", false, false},
		{"https://hooks.example.com/\r\nX: y", false, false},
		{"https://hooks.example.com\\@127.0.0.1/", false, false},
		{"https://bücher.example/", false, false},
		{"https://b%c3%bccher.example/", false, false},
		{"https://hooks..example.com/", false, false},
		{"https://-hooks.example.com/", false, false},
		{"https://hooks.ex$mple.com/", false, false},
		{"https://" + strings.Repeat("x", 64) + ".example/", false, false},
		{"https://" + strings.Repeat("x.", 130) + "example/", false, false},
		{"https://intranet/", false, false},
		{"https://printer.local/", false, false},
		{"https://metadata.google.internal/", false, false},
		{"https://nas.home.arpa/", false, false},
		{"https://10.0.0.1/", false, false},
		{"https://169.254.169.254/latest/meta-data", false, false},
		{"https://2130706433/", false, false},
		{"https://0x7f000001/", false, false},
		{"https://0x7f.0.0.1/", false, false},
		{"https://0177.0.0.1/", false, false},
		{"https://127.1/", false, false},
		{"https://127.0.0.1./", false, false},
		{"https://foo.0x/", false, false},
		{"https://[::ffff:127.0.0.1]/", false, false},
		{"https://[64:ff9b::7f00:1]/", false, false},
		{"https://[fe80::1%25eth0]/", false, false},
		{"https://[::]/", false, false},
	} {
		t.Run(c.url, func(t *testing.T) {
			if err := production.CheckURL(c.url); (err == nil) != c.prod {
				t.Errorf("in production: %v, accepted should be %t", err, c.prod)
			}
			if err := development.CheckURL(c.url); (err == nil) != c.dev {
				t.Errorf("in development: %v, accepted should be %t", err, c.dev)
			}
		})
	}
	t.Run("the longest URL is accepted and one character more is not", func(t *testing.T) {
		longest := "https://hooks.example.com/" + strings.Repeat("x", maxURL-len("https://hooks.example.com/"))
		if err := production.CheckURL(longest); err != nil {
			t.Errorf("%d characters: %v", len(longest), err)
		}
		if production.CheckURL(longest+"x") == nil {
			t.Errorf("%d characters were accepted", len(longest)+1)
		}
	})
	t.Run("the error names the field and repeats nothing", func(t *testing.T) {
		err := production.CheckURL("https://user:hunter2@hooks.example.com/")
		known, ok := errors.AsType[*latchkey.Error](err)
		if !ok || known.Code != latchkey.Invalid || known.Field != "url" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want an invalid field url without what was sent", err)
		}
	})
}

func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{
		"https://hooks.example.com/in", "http://127.0.0.1:3000/", "https://[::1]/", "https://user@host.example:443/?a=b",
		"https://0x7f.1/", "https://[fe80::1%25eth0]/", "https://a.example:0443/#", "https:\\\\a.example", "https://%31.example/",
	} {
		f.Add(seed)
	}
	production := New(Config{})
	f.Fuzz(func(t *testing.T, raw string) {
		if production.CheckURL(raw) != nil {
			return
		}
		parsed, err := url.Parse(raw)
		if err != nil {
			t.Fatalf("accepted what does not parse: %v", err)
		}
		if parsed.Scheme != "https" || parsed.User != nil || parsed.Fragment != "" || len(raw) > maxURL {
			t.Errorf("%q was accepted", raw)
		}
		if port := parsed.Port(); port != "" && port != "443" {
			t.Errorf("%q was accepted with port %s", raw, port)
		}
		if host := parsed.Hostname(); !strings.ContainsAny(host, ".:") || strings.ContainsAny(host, "%@\\/ ") {
			t.Errorf("%q was accepted with host %q", raw, host)
		}
	})
}
