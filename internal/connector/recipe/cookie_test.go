package recipe

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// parseURL returns the URL.
func parseURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// set stores Set-Cookie lines of an answer from the URL.
func (j *jar) set(t *testing.T, from string, now time.Time, lines ...string) bool {
	t.Helper()
	answer := &http.Response{Header: http.Header{"Set-Cookie": lines}}
	return j.store(parseURL(t, from), answer.Cookies(), now)
}

// sent returns the Cookie header of a request for the URL.
func (j *jar) sent(t *testing.T, target string, now time.Time) string {
	t.Helper()
	out := &http.Request{URL: parseURL(t, target), Header: http.Header{}}
	j.addTo(out, now)
	return out.Header.Get("Cookie")
}

func TestWhereACookieIsSent(t *testing.T) {
	for _, c := range []struct{ name, line, from, to, want string }{
		{"to its path", "a=1; Path=/api", "https://x.example/", "https://x.example/api", "a=1"},
		{"below its path", "a=1; Path=/api", "https://x.example/", "https://x.example/api/me", "a=1"},
		{"not beside its path", "a=1; Path=/api", "https://x.example/", "https://x.example/apiary", ""},
		{"below the folder that set it", "a=1", "https://x.example/login/form", "https://x.example/login/", "a=1"},
		{"not above the folder that set it", "a=1", "https://x.example/login/form", "https://x.example/", ""},
		{"everywhere when the root set it", "a=1", "https://x.example", "https://x.example/a/b", "a=1"},
		{"with its own domain", "a=1; Domain=x.example; Path=/", "https://x.example/", "https://x.example/", "a=1"},
		{"with a parent domain", "a=1; Domain=.example.org; Path=/", "https://x.example.org/", "https://x.example.org/", "a=1"},
		{"not with another domain", "a=1; Domain=y.example; Path=/", "https://x.example/", "https://x.example/", ""},
		{"not with a longer domain", "a=1; Domain=w.x.example; Path=/", "https://x.example/", "https://x.example/", ""},
		{"not with a domain that only ends alike", "a=1; Domain=le.org; Path=/", "https://example.org/", "https://example.org/", ""},
		{"not with a whole top-level domain", "a=1; Domain=org; Path=/", "https://example.org/", "https://example.org/", ""},
		{"not with part of an address", "a=1; Domain=0.0.1; Path=/", "http://127.0.0.1/", "http://127.0.0.1/", ""},
		{"with an empty domain", "a=1; Domain=; Path=/", "http://127.0.0.1/", "http://127.0.0.1/", "a=1"},
		{"secure over https", "a=1; Secure; Path=/", "https://x.example/", "https://x.example/", "a=1"},
		{"secure never over http", "a=1; Secure; Path=/", "https://x.example/", "http://x.example/", ""},
		{"secure not set over http", "a=1; Secure; Path=/", "http://x.example/", "https://x.example/", ""},
		{"as long as Max-Age says", "a=1; Max-Age=1; Path=/", "https://x.example/", "https://x.example/", "a=1"},
		{"not when Max-Age is over", "a=1; Max-Age=0; Path=/", "https://x.example/", "https://x.example/", ""},
		{"Max-Age wins", "a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/", "https://x.example/", "https://x.example/", "a=1"},
		{"not when it has expired", "a=1; Expires=Sun, 01 Mar 2026 11:59:59 GMT; Path=/", "https://x.example/", "https://x.example/", ""},
		{"with its quotes", `a="1 2"; Path=/`, "https://x.example/", "https://x.example/", `a="1 2"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := &jar{}
			j.set(t, c.from, noon, c.line)
			if got := j.sent(t, c.to, noon); got != c.want {
				t.Errorf("sent %q, want %q", got, c.want)
			}
		})
	}
}

func TestAJarOverTime(t *testing.T) {
	const here = "https://x.example/"
	j := &jar{}
	for _, c := range []struct {
		name    string
		at      time.Time
		line    string
		changed bool
		sent    string
	}{
		{"a new cookie is a change", noon, "a=1; Max-Age=1000", true, "a=1"},
		{"the same again is none", noon, "a=1; Max-Age=1000", false, "a=1"},
		{"an expiry that slides a little is none", noon.Add(50 * time.Second), "a=1; Max-Age=1000", false, "a=1"},
		{"an expiry that slides far is one", noon.Add(500 * time.Second), "a=1; Max-Age=1000", true, "a=1"},
		{"another value is one", noon.Add(500 * time.Second), "a=2; Max-Age=1000", true, "a=2"},
		{"losing its end is one", noon.Add(500 * time.Second), "a=2", true, "a=2"},
		{"the same without an end is none", noon.Add(500 * time.Second), "a=2", false, "a=2"},
		{"a longer path goes first", noon.Add(500 * time.Second), "a=3; Path=/deep", true, "a=3; a=2"},
		{"a cookie for others is none", noon.Add(500 * time.Second), "a=4; Domain=y.example", false, "a=3; a=2"},
		{"removing one is one", noon.Add(500 * time.Second), "a=; Path=/deep; Max-Age=0", true, "a=2"},
		{"removing it again is none", noon.Add(500 * time.Second), "a=; Path=/deep; Max-Age=0", false, "a=2"},
		{"one that will end", noon.Add(500 * time.Second), "b=1; Max-Age=10", true, "a=2; b=1"},
		{"one that has ended is dropped", noon.Add(511 * time.Second), "a=2", true, "a=2"},
	} {
		if got := j.set(t, here, c.at, c.line); got != c.changed {
			t.Errorf("%s: changed is %t", c.name, got)
		}
		if got := j.sent(t, here+"deep/er", c.at); got != c.sent {
			t.Errorf("%s: sent %q, want %q", c.name, got, c.sent)
		}
	}
}

func TestACookieEndsAtTheLatestAfter400Days(t *testing.T) {
	latest := noon.Add(400 * 24 * time.Hour)
	for _, line := range []string{"a=1; Max-Age=9000000000", "a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT"} {
		j := &jar{}
		j.set(t, "https://x.example/", noon, line)
		if diff := cmp.Diff([]cookie{{Name: "a", Value: "1", Path: "/", Expires: latest}}, j.cookies); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
}

func TestAPlaceholderSeesTheCookieOfTheLongestPath(t *testing.T) {
	j := &jar{}
	j.set(t, "https://x.example/", noon, "a=root; Path=/", "a=deep; Path=/deep", "b=1; Max-Age=10", "s=1; Secure")
	got := j.named(parseURL(t, "http://x.example/elsewhere"), noon.Add(time.Minute))
	if diff := cmp.Diff(map[string]string{"a": "deep"}, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzCookie(f *testing.F) {
	f.Add("a=1; Path=/; Domain=x.example; Max-Age=10; Secure", "/login")
	f.Add(`a="1"; Expires=Sun, 01 Mar 2026 11:59:59 GMT`, "")
	f.Fuzz(func(t *testing.T, line, path string) {
		j := &jar{}
		from := &url.URL{Scheme: "https", Host: "x.example", Path: path}
		j.store(from, (&http.Response{Header: http.Header{"Set-Cookie": {line}}}).Cookies(), noon)
		out := &http.Request{URL: from, Header: http.Header{}}
		j.addTo(out, noon)
		if sent := out.Header.Get("Cookie"); strings.ContainsAny(sent, "\r\n\x00") {
			t.Errorf("sent %q", sent)
		}
		if len(j.cookies) > 1 {
			t.Errorf("one line set %d cookies", len(j.cookies))
		}
	})
}
