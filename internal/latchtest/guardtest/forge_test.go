package guardtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
	"latchkey/internal/web"
)

// changing are the methods that may change something.
var changing = []string{"POST", "PUT", "PATCH", "DELETE"}

// victim is a person's open page at a step, and the form that would go on.
type victim struct {
	*latchtest.Visit
	secret string
	form   string
	before string
}

// victims are at every step from which a form leads on.
func victims(s *latchtest.Server) []victim {
	s.Helper()
	var list []victim
	for _, step := range []struct {
		visit  *latchtest.Visit
		action string
		fields []string
	}{
		{open(s, latchkey.AppRedirect, "sandbox"), "continue", nil},
		{open(s, latchkey.AppRedirect, "sandbox"), "cancel", nil},
		{open(s, latchkey.AppRedirect, "sandbox").Submit("continue"), "approve", nil},
		{open(s, latchkey.AppRedirect, "sandbox").Submit("continue"), "deny", nil},
		{open(s, latchkey.AppRedirect, "sandbox").Consent(), "continue", []string{"username", "evil@creator.sandbox.com", "password", "good-password"}},
		{open(s, latchkey.AppRedirect, "sandbox").Consent().Submit("continue", "username", "jo@creator-otp.sandbox.com", "password", "good-password"), "continue", []string{"code", "123456"}},
	} {
		secret := step.visit.URL[len(s.URL)+1:]
		list = append(list, victim{step.visit, secret, step.visit.Form(step.action, step.fields...).Encode(), stored(s, secret)})
	}
	return list
}

// forgery is a request that another site can make a browser send.
type forgery struct {
	method  string
	query   bool // the form is in the query
	headers []string
}

// forgeries are all that HTML and scripts of another site can send, and what
// old frameworks took for another method. A browser always says where a POST
// comes from, in one of these ways (Fetch, sections 3.2 and 5.1).
func forgeries() map[string]forgery {
	form := "application/x-www-form-urlencoded"
	return map[string]forgery{
		"a form of another site":        {"POST", false, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", "https://evil.example", "Content-Type", form}},
		"a form of a sister site":       {"POST", false, []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.example", "Content-Type", form}},
		"a form of an old browser":      {"POST", false, []string{"Origin", "https://evil.example", "Content-Type", form}},
		"a form of a sandboxed frame":   {"POST", false, []string{"Origin", "null", "Content-Type", form}},
		"text/plain":                    {"POST", false, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Content-Type", "text/plain"}},
		"JSON as text/plain":            {"POST", false, []string{"Origin", "https://evil.example", "Content-Type", "text/plain; a=application/json"}},
		"fetch without CORS":            {"POST", false, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Content-Type", form}},
		"a beacon":                      {"POST", true, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Content-Type", "text/plain"}},
		"the script's header as well":   {"POST", false, []string{"Sec-Fetch-Site", "cross-site", "X-Latchkey-Script", "1", "Content-Type", form}},
		"a link":                        {"GET", true, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}},
		"a link of the site itself":     {"GET", true, []string{"Sec-Fetch-Site", "same-origin"}},
		"a link with the script header": {"GET", true, []string{"X-Latchkey-Script", "1"}},
		"an overridden method":          {"GET", true, []string{"X-HTTP-Method-Override", "POST", "X-HTTP-Method", "POST", "X-Method-Override", "POST"}},
		"a method in the query":         {"GET", true, []string{"Content-Type", form, "Sec-Fetch-Site", "none"}},
		"a GET with a body":             {"GET", false, []string{"Content-Type", form, "Sec-Fetch-Site", "same-origin"}},
		"a HEAD":                        {"HEAD", true, nil},
		"another method":                {"PUT", false, []string{"Sec-Fetch-Site", "same-origin", "Content-Type", form, "X-HTTP-Method-Override", "POST"}},
	}
}

func TestNoOtherSiteGoesOn(t *testing.T) {
	s := start(t)
	people := victims(s)
	var prefixes []string // of the routes of browsers that change something
	for _, route := range s.App.Routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		if route.Kind != web.KindAPI && slices.Contains(changing, method) {
			if path == "/reconnect/{token}" {
				continue // it has no session yet: reconnectForgeries
			}
			prefix, rest, found := strings.Cut(path, "{clientSecret}")
			if !found || rest != "" {
				t.Errorf("no forgery of this test goes to %s", route.Pattern)
			}
			prefixes = append(prefixes, prefix)
		}
	}
	tried, accepted := 0, 0
	_, facts := s.Calls(func() {
		for _, prefix := range prefixes {
			for _, person := range people {
				for name, forged := range forgeries() {
					path, body := prefix+person.secret, any(person.form)
					if forged.query {
						path, body = path+"?_method=POST&"+person.form, nil
					}
					answer := s.Call(forged.method, path, body, append([]string{"apikey", "", "Content-Type", ""}, forged.headers...)...)
					tried++
					if forged.method == "POST" && answer.Status/100 != 4 || stored(s, person.secret) != person.before {
						accepted++
						t.Errorf("%s to %s: %d", name, prefix, answer.Status)
					}
				}
			}
		}
	})
	if facts != 0 {
		accepted++
		t.Errorf("%d facts were written", facts)
	}
	tried += apiForgeries(t, s, &accepted)
	tried += reconnectForgeries(t, s, &accepted)
	tried += browserForgeries(t, s, people, &accepted)
	for _, person := range people { // each could have gone on
		answer := s.Call("POST", "/"+person.secret, person.form, "apikey", "", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
		if answer.Status != http.StatusSeeOther || stored(s, person.secret) == person.before {
			t.Errorf("the person's own form: %d", answer.Status)
		}
	}
	fmt.Printf("RESULT B-4 %d 0\n", accepted)
	fmt.Printf("RESULT B-4.n %d 250\n", tried)
	if tried < 250 {
		t.Errorf("only %d forgeries", tried)
	}
}

// reconnectForgeries sends all there is to the page on which a person begins to
// link an account anew.
func reconnectForgeries(t *testing.T, s *latchtest.Server, accepted *int) (tried int) {
	visit := open(s, latchkey.AppRedirect, "sandbox").Consent().
		Submit("continue", "username", "gone@creator.sandbox.com", "password", "good-password")
	connection := "/v2/account/connections/" + visit.Landed.Query().Get("connection_id")
	s.Want(http.StatusOK, "POST", connection+"/invalidate", nil)
	url := latchtest.Decode[struct {
		Expiry struct {
			ReconnectURL string `json:"reconnectUrl"`
		} `json:"expiry"`
	}](s, s.Want(http.StatusOK, "GET", connection, nil)).Expiry.ReconnectURL
	path := strings.TrimPrefix(url, s.URL)
	_, facts := s.Calls(func() {
		for name, forged := range forgeries() {
			to, body := path, any("action=continue")
			if forged.query {
				to, body = path+"?_method=POST&action=continue", nil
			}
			answer := s.Call(forged.method, to, body, append([]string{"apikey", "", "Content-Type", ""}, forged.headers...)...)
			tried++
			if forged.method == "POST" && answer.Status/100 != 4 {
				*accepted++
				t.Errorf("%s to the page of a token: %d", name, answer.Status)
			}
		}
	})
	if facts != 0 {
		*accepted++
		t.Errorf("%d facts were written", facts)
	}
	own := s.Call("POST", path, "action=continue", "apikey", "", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	if own.Status != http.StatusSeeOther {
		t.Errorf("the person's own form: %d", own.Status)
	}
	return tried
}

// apiForgeries sends what a browser can to every route for backends: no cookie
// stands for a key there.
func apiForgeries(t *testing.T, s *latchtest.Server, accepted *int) (tried int) {
	_, facts := s.Calls(func() {
		for _, route := range s.App.Routes() {
			method, path, _ := strings.Cut(route.Pattern, " ")
			if route.Kind != web.KindAPI || method == "GET" {
				continue
			}
			path = strings.NewReplacer("{path...}", "x", "{", "", "}", "").Replace(path)
			answer := s.Call("POST", path, `{"a":"b"}`, "apikey", "", "Content-Type", "text/plain", "Cookie", "apikey="+s.Trial.APIKey,
				"Sec-Fetch-Site", "cross-site", "X-HTTP-Method-Override", method)
			if tried++; answer.Status/100 != 4 {
				*accepted++
				t.Errorf("%s: %d", route.Pattern, answer.Status)
			}
		}
	})
	if facts != 0 {
		*accepted++
		t.Errorf("%d facts were written", facts)
	}
	return tried
}

// browserForgeries lets chromium, on another site, send everything it can.
func browserForgeries(t *testing.T, s *latchtest.Server, people []victim, accepted *int) (tried int) {
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, `<!doctype html><title>evil</title><iframe name="well"></iframe>`)
	}))
	defer evil.Close()
	const send = `(async (to, body) => {
	const fields = [...new URLSearchParams(body)];
	for (const enctype of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]) {
		const form = Object.assign(document.createElement("form"), {method: "post", enctype, target: "well"});
		form.setAttribute("action", to);
		for (const [name, value] of fields) form.append(Object.assign(document.createElement("input"), {name, value}));
		document.body.append(form);
		await new Promise(done => { document.querySelector("iframe").onload = done; HTMLFormElement.prototype.submit.call(form) });
	}
	for (const type of ["application/x-www-form-urlencoded", "text/plain"])
		await fetch(to, {method: "POST", mode: "no-cors", credentials: "include", headers: {"Content-Type": type}, body}).catch(() => 0);
	for (const headers of [{"X-Latchkey-Script": "1"}, {"Content-Type": "application/json"}])
		await fetch(to, {method: "POST", credentials: "include", headers, body}).catch(() => 0);
	await fetch(to + "?" + body, {mode: "no-cors", credentials: "include"}).catch(() => 0);
	await new Promise(done => Object.assign(new Image(), {onload: done, onerror: done, src: to + "?" + body}));
	navigator.sendBeacon(to, new URLSearchParams(body));
	await fetch(to, {mode: "no-cors"}).catch(() => 0);
	return 10;
})`
	tab := shottest.Open(t).Visit(t, strings.Replace(evil.URL, "127.0.0.1", "evil.localhost", 1), phone)
	for _, person := range people {
		tried += shottest.Settle[int](tab, send+`("`+s.URL+"/"+person.secret+`", "`+person.form+`")`)
		tab.Go(s.URL + "/" + person.secret + "?_method=POST&" + person.form)
		tried++
		tab.Go(strings.Replace(evil.URL, "127.0.0.1", "evil.localhost", 1))
		if stored(s, person.secret) != person.before {
			*accepted++
			t.Errorf("a browser went on with %s", url.PathEscape(person.Title()))
		}
	}
	return tried
}
