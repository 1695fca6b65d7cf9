package account

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// hostileURIs are redirect URIs that may be registered nowhere.
func hostileURIs() []string {
	return []string{
		"", " ", "/back", "//shop.example.com/back", "shop.example.com/back", "https:shop.example.com/back", "https:/shop.example.com/back",
		"https:///back", "https://", "https://?x", "https:\\\\shop.example.com\\back", "https://shop.example.com\\@evil.example/", "https://evil.example\\@shop.example.com/",
		"https://*.example.com/back", "https://*/back", "https://shop.example.com/*", "https://user@shop.example.com/", "https://user:x@shop.example.com/",
		"https://@shop.example.com/", "https://shop.example.com@evil.example/", "https://shop.example.com#x", "https://shop.example.com/#", "https://evil.example/#@shop.example.com/",
		"https://evil.example/", "https://evil.example/?https://shop.example.com/", "https://evil.example/shop.example.com", "https://shop.example.com.evil.example/",
		"https://evilexample.com/", "https://com/", "https://co.uk/", "https://10.0.0.1/", "https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/",
		"https://[2001:db8::1]/", "https://[fe80::1%25eth0]/", "https://[::ffff:127.0.0.1]/", "https://127.1/", "https://localhost.example/",
		"https://shop.example.com:0/", "https://shop.example.com:65536/", "https://shop.example.com:/", "https://shop.example.com:0443/", "https://shop.example.com:x/",
		"https://shop.example.com:+443/", "https://shop.example.com:443:443/", "https://shop.example.com:443@evil.example/", "https://shop.example.com./", "https://shop..example.com/",
		"https://SHOP.example.com/", "HTTPS://shop.example.com/", "https://shop%2eexample.com/", "https://shop.example.com%2f@evil.example/", "https://shop.example.com%00.evil.example/",
		"https://shop.example.com/\n", "https://shop.example.com/\tback", " https://shop.example.com/", "https://shop.example.com/ back", "java\nscript:alert(1)",
		"https://shop。example.com/", "https://shop.example．com/", "https://ｓhop.example.com/", "https://ѕhop.example.com/", "https://shop.example.com/\u202e",
		"https://shop.example.com/%0d%0aSet-Cookie:x=1", "https://shop.example.com/%00", "https://shop.example.com/%zz", "https://shop.example.com/%4", "https://shop.example.com/%",
		"https://shop.example.com/\"><script>", "https://shop.example.com/<x>", "https://shop.example.com/{x}", "https://shop.example.com/`", "https://shop.example.com/^|",
		"javascript:alert(1)", "JavaScript:alert(1)", "javascript://shop.example.com/%0aalert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://shop.example.com/x",
		"about:blank", "ftp://shop.example.com/", "ws://shop.example.com/", "intent://shop.example.com/#Intent;end", "shop:", "shop:/back", "myapp://callback", "example:/back",
		"com.example:/back", "com.example.other:/back", "com.example.shop:", "com.example.shop:back", "com.example.shop://back", "COM.example.shop:/back", "com.example.shop.evil:/back",
		"https://shop.example.com/" + strings.Repeat("x", 2048), "http://evil.example/", "http://shop.example.com/", "view-source:https://shop.example.com/", "https://https://shop.example.com/",
	}
}

// loopbacks are redirect URIs for the sandbox alone.
var loopbacks = []string{
	"http://127.0.0.1/back", "http://127.0.0.1:1/back", "http://[::1]/back", "http://[::1]:65535/back", "http://localhost", "http://localhost:3000/back?x=1",
	"https://localhost:3000/back",
}

// own are redirect URIs of shop.example.com.
var own = []string{
	"https://shop.example.com", "https://shop.example.com/", "https://shop.example.com/back", "https://shop.example.com:8443/back", "https://shop.example.com/?a=b&c=%2F",
	"https://shop.example.com?a=b", "https://example.com/@shop/(back)", "https://www.example.com/a/b;c=1,2!$'~", "https://a.b.c.example.com/", "https://xn--bcher-kva.example.com/",
	"https://shop.example.com/https://evil.example/", "https://shop.example.com//x", "com.example.shop:/back", "com.example.shop:/", "com.example.shop:/a?b=c",
}

func TestARedirectURILeadsToTheAppItself(t *testing.T) {
	live, sandbox := site{domain: "shop.example.com", isLive: true}, site{domain: "shop.example.com"}
	judge(t, live.redirectRule, own, append(hostileURIs(), loopbacks...))
	judge(t, sandbox.redirectRule, append(append([]string{}, own...), loopbacks...), append(hostileURIs(),
		"http://127.0.0.2/", "http://127.0.0.1.example.com/", "http://localhost.example.com/", "http://[::1]x/", "http://[::1", "http://::1/", "http://0.0.0.0/",
		"http://127.0.0.1:0/", "http://localhost:99999/", "http://user@localhost/", "http://localhost:80:80/", "http://localhost./", "http://LOCALHOST/", "http://app.localhost/",
		"ftp://localhost/"))
	atHome := site{domain: "localhost"}
	judge(t, atHome.redirectRule, loopbacks, []string{"localhost:/back", "https://shop.example.com/", "https://localhost.example.com/"})
	for _, uri := range loopbacks {
		if !IsLoopback(uri) {
			t.Errorf("%s is not known to be on this computer", uri)
		}
	}
	for _, uri := range append(append(hostileURIs(), own...), "http://localhost.example.com/", "http://x@localhost/", "http://localhost/#") {
		if IsLoopback(uri) {
			t.Errorf("%q is taken for one on this computer", uri)
		}
	}
}

func TestAPublicSuffixBelowTheDomainIsNotTheApps(t *testing.T) {
	where := site{domain: "amazonaws.com", isLive: true}
	judge(t, where.redirectRule, []string{"https://www.amazonaws.com/"},
		[]string{"https://s3.amazonaws.com/", "https://evil.s3.amazonaws.com/"})
}

func TestAnOriginIsWrittenAsBrowsersWriteIt(t *testing.T) {
	good := []string{"https://shop.example.com", "https://shop.example.com:8443", "https://partner.example.net", "https://xn--bcher-kva.example"}
	nearby := []string{
		"http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:8080", "http://192.168.1.5:3000", "http://shop.example.com", "https://localhost",
		"http://shop.example.com:443", "http://shop.localhost:3000",
	}
	bad := append(hostileURIs(), "null", "*", "https://shop.example.com/", "https://shop.example.com?", "https://shop.example.com/x", "https://shop.example.com:443",
		"http://localhost:80", "http://shop.example.com:80", "https://localhost.", "http://192.168.001.5", "http://[::0001]", "http://[0:0:0:0:0:0:0:1]", "http://127.1", "http://::1:80",
		"http://[127.0.0.1]", "http://[fe80::1%25x]", "http://[::ffff:1.2.3.4%251]", "com.example.shop:/", "chrome-extension://abcdefgh", "https://intranet")
	bad = without(bad, "http://shop.example.com/", "https://evil.example/")
	judge(t, site{domain: "shop.example.com", isLive: true}.originRule, good, append(append([]string{}, bad...), nearby...))
	judge(t, site{domain: "shop.example.com"}.originRule, append(good, nearby...), bad)
}

// without returns a list without some of its entries.
func without(list []string, gone ...string) []string {
	var rest []string
	for _, entry := range list {
		if !slices.Contains(gone, entry) {
			rest = append(rest, entry)
		}
	}
	return rest
}

func TestALogoComesFromAPublicHTTPSHost(t *testing.T) {
	judge(t, logoRule, []string{"https://cdn.example.net/logo.png?v=2", "https://shop.example.com:8443/x"},
		append(without(hostileURIs(), "https://evil.example/", "https://evil.example/?https://shop.example.com/", "https://evil.example/shop.example.com",
			"https://shop.example.com.evil.example/", "https://evilexample.com/", "https://localhost.example/"),
			"http://cdn.example.net/x", "https://localhost/x", "https://127.0.0.1/x"))
}

func FuzzRedirectRule(f *testing.F) {
	for _, uri := range append(append(hostileURIs(), own...), loopbacks...) {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if (site{domain: "shop.example.com", isLive: true}).redirectRule(uri) != "" {
			return
		}
		parsed, err := url.Parse(uri)
		if err != nil {
			t.Fatalf("%q passes and is no URL: %v", uri, err)
		}
		host := parsed.Hostname()
		atHome := parsed.Scheme == "https" && (host == "example.com" || strings.HasSuffix(host, ".example.com"))
		onPhone := parsed.Scheme == "com.example.shop" && host == ""
		if !atHome && !onPhone || parsed.User != nil || parsed.Fragment != "" || strings.ContainsAny(uri, "*\\# \t\r\n") {
			t.Errorf("%q passes and leads to %q", uri, host)
		}
	})
}
