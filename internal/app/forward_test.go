package app_test

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
)

// pretences are headers by which a request says that it came to another host,
// from another address, for another path or with another method. %s is a host
// or an address of the attacker's.
var pretences = append(addressPretences, otherPretences...)

// addressPretences are those about where a request comes from.
var addressPretences = []string{
	"X-Forwarded-For: %s", "X-Forwarded-For: 10.0.0.1, %s", "X-Real-Ip: %s", "Forwarded: for=%s;host=%[1]s;proto=https;by=%[1]s",
	"X-Client-Ip: %s", "X-Originating-Ip: %s", "True-Client-Ip: %s", "Cf-Connecting-Ip: %s", "X-Cluster-Client-Ip: %s", "Fastly-Client-Ip: %s",
	"X-Remote-Addr: %s", "Via: 1.1 %s",
}

var otherPretences = []string{
	"X-Forwarded-Host: %s", "X-Forwarded-Server: %s", "X-Host: %s", "X-Http-Host-Override: %s", "X-Forwarded-Proto: https",
	"X-Forwarded-Port: 4443", "X-Forwarded-Prefix: /%s", "X-Forwarded-Path: /%s", "X-Original-Url: //%s/healthz", "X-Rewrite-Url: //%s/healthz",
	"X-Original-Host: %s", "Front-End-Https: on", "Origin: http://%s", "Referer: http://%s/",
	"X-Http-Method-Override: DELETE", "X-Http-Method: DELETE", "X-Method-Override: DELETE",
}

// request is one of a peer.
type request struct{ peer, method, path, kind, body, key, host, pretence, says string }

// forward is an app that hears requests of any peer.
type forward struct{ *latchtest.Server }

func (f forward) send(r request) *httptest.ResponseRecorder {
	sent := httptest.NewRequestWithContext(f.Context(), r.method, r.path, strings.NewReader(r.body))
	sent.RemoteAddr, sent.Host = r.peer, strings.TrimPrefix(f.URL, "http://")
	if r.host != "" {
		sent.Host = r.host
	}
	if r.kind != "" {
		sent.Header.Set("Content-Type", r.kind)
	}
	if r.key != "" {
		sent.Header.Set("apikey", r.key)
	}
	if r.pretence != "" {
		name, value, _ := strings.Cut(r.pretence, ": ")
		if strings.Contains(value, "%") {
			value = fmt.Sprintf(value, r.says)
		}
		sent.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	f.App.Handler().ServeHTTP(answer, sent)
	return answer
}

const (
	stranger = "192.0.2.1:4711"
	evil     = "evil.example"
)

// begun asks for a link and returns its secret.
func (f forward) begun(r request) (secret string, answer *httptest.ResponseRecorder) {
	f.Helper()
	r.peer, r.method, r.path, r.kind, r.key = stranger, "POST", "/v2/link/init", jsonBody, f.Trial.APIKey
	r.body = `{"provider":"` + latchtest.ProviderID + `"}`
	answer = f.send(r)
	made := latchtest.Decode[latchtest.Link](f.Server, latchtest.Answer{Status: answer.Code, Body: answer.Body.Bytes()})
	if made.URL != f.URL+"/"+made.Secret() {
		f.Errorf("with %q and the host %q the link is %q", r.pretence, r.host, made.URL)
	}
	return made.Secret(), answer
}

// walk goes through a whole link and returns all that was answered, without
// what differs from link to link.
func (f forward) walk(r request) string {
	f.Helper()
	secret, answer := f.begun(r)
	all := []*httptest.ResponseRecorder{answer}
	page := func(method, path, body string) {
		r.peer, r.method, r.path, r.body = stranger, method, path, body
		if r.kind = ""; body != "" {
			r.kind = formBody
		}
		all = append(all, f.send(r))
	}
	page("GET", "/"+secret+"?embed=true&embed_origin=http://localhost:3000", "")
	page("GET", "/s/"+secret, "")
	page("GET", "//"+secret, "")
	page("POST", "/"+secret, "version=1&action=continue")
	page("POST", "/"+secret, "version=2&action=approve")
	page("GET", "/"+secret, "")
	page("POST", "/"+secret, "version=4&action=continue&username=ada&password=wrong")
	page("POST", "/"+secret, "version=6&action=cancel")
	page("GET", "/"+secret, "")
	page("GET", "/static/providers/sandbox.svg", "")
	r.key = f.Trial.APIKey
	page("GET", "/v2/link/"+secret, "")
	var text strings.Builder
	for _, answer := range all {
		fmt.Fprintln(&text, answer.Code, answer.Header().Get("Location"), answer.Header().Get("Content-Security-Policy"), answer.Header().Get("Refresh"), answer.Body)
	}
	plain := strings.ReplaceAll(text.String(), secret, "cs_")
	plain = regexp.MustCompile(`(ls|req)_[0-9A-Za-z]+|[-0-9]{10}T[0-9:.]+Z`).ReplaceAllString(plain, "")
	return plain
}

func TestLinksAreMadeOfTheConfigurationAlone(t *testing.T) {
	f := forward{latchtest.Start(t, latchtest.Options{Idle: true})}
	want, influenced, walks := f.walk(request{}), 0, 0
	if !strings.Contains(want, "status=cancelled") || !strings.Contains(want, "303 /cs_") {
		t.Fatalf("the walk did not get to its end:\n%s", want)
	}
	check := func(r request) {
		r.says = evil
		walks++
		got := f.walk(r)
		if strings.HasPrefix(r.pretence, "Origin: ") { // a form from another site: it is refused
			if strings.Contains(got, evil) || strings.Count(got, "may not be used from here") != 4 {
				influenced++
				t.Errorf("%q: %s", r.pretence, got)
			}
			return
		}
		if got != want {
			influenced++
			t.Errorf("%q at the host %q changes the answers:\n%s\nwant\n%s", r.pretence, r.host, got, want)
		}
	}
	for _, pretence := range pretences {
		check(request{pretence: pretence})
	}
	for _, host := range []string{evil, evil + ":80", "127.0.0.1", "localhost", "[::1]:80", "x@" + evil, evil + "/path", "%65vil.example", strings.Repeat("a", 300)} {
		check(request{host: host})
	}
	fmt.Printf("RESULT L-9.links %d 0\n", influenced)
	fmt.Printf("RESULT L-9.links.n %d 30\n", walks)
}
