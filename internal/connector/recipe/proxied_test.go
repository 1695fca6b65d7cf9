package recipe_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/connector"
	"latchkey/internal/connector/recipe"
)

// tokenSteps log in for a token that every later request carries.
const tokenSteps = `
  - name: enter
    requests:
      - {method: POST, path: /login, save: {token: {header: x-token}, once: {header: x-once}}}
    when: [{if: {status: 200}, then: done}]
profile: {request: {method: GET, path: /who, headers: {authorization: "Bearer {{saved.token}}"}}, id: $.id, username: $.login}
check: {request: {method: GET, path: /alive, headers: {authorization: "Bearer {{saved.token}}"}}, dead: {json: {path: $.alive, equals: false}}}
proxy: {path: /v1/, headers: {Authorization: "Bearer {{saved.token}}", x-csrf: "{{cookie.csrf}}"}, cookies: true}
logout: {requests: [{method: POST, path: /out, headers: {authorization: "Bearer {{saved.token}}"}}], gone: {status: 410}}
`

// tokenSite is the site that tokenSteps log in to. What it says at /alive, and
// the status of /out, can be changed.
type tokenSite struct {
	alive string
	out   int
}

func (s *tokenSite) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Token", "t0ken")
		w.Header().Set("X-Once", "only-at-login")
		http.SetCookie(w, &http.Cookie{Name: "csrf", Value: "c1", Path: "/"})
		http.SetCookie(w, &http.Cookie{Name: "deep", Value: "d1", Path: "/v1/deep"})
	})
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t0ken" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answerJSON(w, http.StatusOK, `{"id":1,"login":"ada","more":[true]}`)
	})
	mux.HandleFunc("GET /alive", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, s.alive) })
	mux.HandleFunc("POST /out", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(s.out) })
	return mux
}

// authorised returns what Authorize made of a request for the path below the
// base.
func authorised(t *testing.T, c *recipe.Connector, credential []byte, path string) http.Header {
	t.Helper()
	base, err := c.Base(credential)
	if err != nil {
		t.Fatal(err)
	}
	out, err := http.NewRequest(http.MethodGet, base.JoinPath(path).String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Authorize(out, credential); err != nil {
		t.Fatal(err)
	}
	return out.Header
}

func TestAProxiedRequest(t *testing.T) {
	c := site(t, (&tokenSite{}).mux(), tokenSteps)
	credential := mustLogin(t, c).Credential.Secret

	t.Run("carries the recipe's headers and the cookies of its path", func(t *testing.T) {
		want := http.Header{"Authorization": {"Bearer t0ken"}, "X-Csrf": {"c1"}, "Cookie": {"csrf=c1"}}
		if diff := cmp.Diff(want, authorised(t, c, credential, "posts")); diff != "" {
			t.Error(diff)
		}
		want["Cookie"] = []string{"deep=d1; csrf=c1"}
		if diff := cmp.Diff(want, authorised(t, c, credential, "deep/er")); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("keeps of the login only what it needs", func(t *testing.T) {
		if strings.Contains(string(credential), "only-at-login") {
			t.Error("the credential holds a value that nothing uses")
		}
	})
	t.Run("never takes the credential to another origin", func(t *testing.T) {
		base, _ := c.Base(credential)
		for _, target := range []string{
			"https://evil.example/v1/", "https://" + base.Host + "/v1/", "http://" + base.Hostname() + ":1/v1/", "http://u@" + base.Host + "/v1/",
		} {
			out, err := http.NewRequest(http.MethodGet, target, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Authorize(out, credential); err == nil || len(out.Header) > 0 {
				t.Errorf("%s: error %v, header %v", target, err, out.Header)
			}
		}
	})
	t.Run("without a value it needs is dead", func(t *testing.T) {
		base, _ := c.Base(nil)
		out, _ := http.NewRequest(http.MethodGet, base.String(), nil)
		if err := c.Authorize(out, []byte(`{"recipe":"acme"}`)); !errors.Is(err, connector.ErrDead) {
			t.Errorf("error %v, want dead", err)
		}
	})
}

func TestKeepingWhatAnAnswerSets(t *testing.T) {
	c := site(t, (&tokenSite{}).mux(), tokenSteps)
	credential := mustLogin(t, c).Credential.Secret
	base, _ := c.Base(credential)
	answer := func(url string, lines ...string) *http.Response {
		request, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Response{Header: http.Header{"Set-Cookie": lines}, Request: request}
	}
	t.Run("a new value is sent from then on", func(t *testing.T) {
		changed, ok := c.Keep(credential, answer(base.String(), "csrf=c2; Path=/"))
		if !ok {
			t.Fatal("nothing changed")
		}
		if got := authorised(t, c, changed, "posts").Get("Cookie"); got != "csrf=c2" {
			t.Errorf("sent %q", got)
		}
		if got := authorised(t, c, changed, "posts").Get("Authorization"); got != "Bearer t0ken" {
			t.Errorf("the saved value became %q", got)
		}
	})
	t.Run("a removed cookie is gone", func(t *testing.T) {
		changed, ok := c.Keep(credential, answer(base.String(), "deep=; Path=/v1/deep; Max-Age=0"))
		if !ok {
			t.Fatal("nothing changed")
		}
		if got := authorised(t, c, changed, "deep/er").Get("Cookie"); got != "csrf=c1" {
			t.Errorf("sent %q", got)
		}
	})
	for name, a := range map[string]*http.Response{
		"the same cookie":                 answer(base.String(), "csrf=c1; Path=/"),
		"no cookie":                       answer(base.String()),
		"a cookie of somebody else":       answer(base.String(), "csrf=c2; Path=/; Domain=evil.example"),
		"a cookie from somewhere else":    answer("https://evil.example/", "csrf=c2; Path=/"),
		"a line that is no cookie at all": answer(base.String(), ";;;=\x00"),
	} {
		t.Run(name+" changes nothing", func(t *testing.T) {
			if changed, ok := c.Keep(credential, a); ok || changed != nil {
				t.Errorf("changed to %d bytes", len(changed))
			}
		})
	}
	t.Run("a credential of something else stays as it is", func(t *testing.T) {
		if _, ok := c.Keep([]byte("damaged"), answer(base.String(), "csrf=c2")); ok {
			t.Error("it changed")
		}
	})
}

func TestCheckAndLogout(t *testing.T) {
	s := &tokenSite{alive: `{"alive":true}`, out: http.StatusNoContent}
	c := site(t, s.mux(), tokenSteps)
	credential := mustLogin(t, c).Credential.Secret
	access := connector.Access{Credential: credential, HTTP: wayOut, Now: time.Now()}

	t.Run("a living account answers with its profile", func(t *testing.T) {
		profile, err := c.Check(t.Context(), access)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(`{"id":1,"login":"ada","more":[true]}`, string(profile.Raw)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the recipe's condition says dead", func(t *testing.T) {
		s.alive = `{"alive":false}`
		if _, err := c.Check(t.Context(), access); !errors.Is(err, connector.ErrDead) {
			t.Errorf("error %v, want dead", err)
		}
	})
	t.Run("an answer that makes no sense does not", func(t *testing.T) {
		s.alive = `{"alive":true}`
		other := access
		other.Credential = []byte(strings.Replace(string(credential), "t0ken", "other", 1))
		if _, err := c.Check(t.Context(), other); err == nil || errors.Is(err, connector.ErrDead) {
			t.Errorf("error %v, want one that is not dead", err)
		}
	})
	t.Run("a value that is lost does", func(t *testing.T) {
		empty := access
		empty.Credential = []byte(`{"recipe":"acme"}`)
		if _, err := c.Check(t.Context(), empty); !errors.Is(err, connector.ErrDead) {
			t.Errorf("error %v, want dead", err)
		}
		if err := c.Revoke(t.Context(), empty); err != nil {
			t.Errorf("there is nothing to log out of: %v", err)
		}
	})
	for status, good := range map[int]bool{200: true, 204: true, 302: true, 401: true, 410: true, 403: false, 404: false, 500: false, 503: false} {
		s.out = status
		if err := c.Revoke(t.Context(), access); (err == nil) != good {
			t.Errorf("a logout answered with %d: error %v", status, err)
		}
	}
	t.Run("a recipe without a logout knows no way", func(t *testing.T) {
		if err := at(t, "http://127.0.0.1:1", jsonSteps).Revoke(t.Context(), access); !errors.Is(err, connector.ErrNoRevocation) {
			t.Error(err)
		}
	})
}
