package hosted_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

// TestNoAnswerSendsAFormOn posts credentials to every route, as it is written
// and in the ways that a multiplexer would put right, and to the page of a
// session at every step. An answer 307 or 308 would make the browser send the
// password on (RFC 9110, section 15.4.8; RFC 9700, section 4.12).
func TestNoAnswerSendsAFormOn(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	posts, sentOn, redirects := 0, 0, 0
	post := func(path, action string, version int64) {
		form := url.Values{
			"username": {"ada"}, "password": {latchtest.Password}, "code": {latchtest.Code}, "action": {action},
			"version": {fmt.Sprint(version)}, "provider": {latchtest.ProviderID},
		}
		answer := s.Call(http.MethodPost, path, form.Encode(), "apikey", "", "Content-Type", "application/x-www-form-urlencoded",
			"Sec-Fetch-Site", "same-origin")
		posts++
		if answer.Status == http.StatusSeeOther {
			redirects++
		}
		if answer.Status >= 300 && answer.Status < 400 && answer.Status != http.StatusSeeOther {
			sentOn++
			t.Errorf("POST %s is answered %d to %s", path, answer.Status, answer.Header.Get("Location"))
		}
	}
	fill := map[string]string{"{clientSecret}": "cs_0", "{id}": "ls_0", "{provider}": "own", "{organisation}": "org_0", "{path...}": "me"}
	for _, route := range s.App.Routes() {
		path := pathOf(route.Pattern, fill)
		for _, odd := range []string{path, path + "/", "/" + path, "/." + path, "/x/.." + path, path + "//", path + "/.", path + "?a=b"} {
			post(odd, "continue", 1)
		}
	}
	for _, state := range []latchkey.State{latchkey.StatePreLogin, latchkey.StateAuthorization, latchkey.StateLogin, latchkey.StateTwoFactor} {
		for _, action := range append(slices.Clone(latchkey.Actions()), "callback", "", "nonsense") {
			for _, stale := range []int64{0, -1, 1} {
				p := begin(s, state)
				for _, path := range []string{p.path(), "/s" + p.path(), p.path() + "/", "/" + p.path(), "/s/" + p.path()} {
					post(path, string(action), p.stored().Version+stale)
				}
			}
		}
	}
	fmt.Printf("RESULT R-4 %d 0\nRESULT R-4.posts %d 500\nRESULT R-4.redirects %d 50\n", sentOn, posts, redirects)
	if posts < 500 || redirects < 50 {
		t.Errorf("%d posts, %d redirects: too few to tell", posts, redirects)
	}
}

// parameter is a part of a route's path that requests fill in.
var parameter = regexp.MustCompile(`\{[^}]*\}`)

// pathOf fills in the parts of a route's path.
func pathOf(pattern string, fill map[string]string) string {
	_, path, _ := strings.Cut(pattern, "/")
	return "/" + parameter.ReplaceAllStringFunc(path, func(name string) string { return cmp.Or(fill[name], "x") })
}
