package recipe_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
)

// redirects serves /hop/N, which redirects to /hop/N-1 and sets a cookie, down
// to /hop/0, which tells what arrived; and /away, which leads to elsewhere.
func redirects(elsewhere string) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/hop/0", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Method", r.Method)
		w.Header().Set("X-Cookies", r.Header.Get("Cookie"))
		w.Header().Set("X-Password", r.FormValue("p"))
		w.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("/hop/{n}", func(w http.ResponseWriter, r *http.Request) {
		n := int(r.PathValue("n")[0] - '0')
		http.SetCookie(w, &http.Cookie{Name: "hop" + r.PathValue("n"), Value: "x", Path: "/"})
		status := http.StatusFound
		if r.URL.Query().Get("keep") != "" {
			status = http.StatusTemporaryRedirect
		}
		w.Header().Set("Location", "/hop/"+string(rune('0'+n-1))+"?"+r.URL.RawQuery+"#part")
		w.WriteHeader(status)
	})
	mux.HandleFunc("/away", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", elsewhere)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	return mux
}

// request returns the one step that posts the password to a path.
func request(path, more, conditions string) string {
	return `
  - name: enter
    requests: [{method: POST, path: ` + path + `, form: {p: "{{field.password}}"}` + more + `}]
    when: [` + conditions + `]
`
}

func TestRedirectsWithinTheOrigin(t *testing.T) {
	arrived := func(method, password string) string {
		return `{if: {all: [{status: 200}, {header: {name: x-method, equals: ` + method +
			`}}, {header: {name: x-password, equals: "` + password + `"}}]}, then: done}`
	}
	for name, steps := range map[string]string{
		"are not followed unless the recipe says so":          request("/hop/3", "", `{if: {status: 302, header: {name: location, contains: /hop/2}}, then: done}`),
		"are followed as a GET without the password":          request("/hop/3", ", follow: true", arrived("GET", "")),
		"are followed with the body where the status says so": request("/hop/3", ", query: {keep: 1}, follow: true", arrived("POST", "good-password")),
		"carry the cookies set on the way":                    request("/hop/2", ", follow: true", `{if: {header: {name: x-cookies, equals: hop2=x; hop1=x}}, then: done}`),
		"are followed five times":                             request("/hop/5", ", follow: true", arrived("GET", "")),
	} {
		t.Run(name, func(t *testing.T) { mustLogin(t, site(t, redirects(""), steps)) })
	}
	t.Run("are not followed a sixth time", func(t *testing.T) {
		_, err := login(t, site(t, redirects(""), request("/hop/6", ", follow: true", arrived("GET", ""))), "good-password")
		if err == nil || !strings.Contains(err.Error(), "more than 5 redirects") {
			t.Errorf("error %v", err)
		}
	})
}

func TestRedirectsToElsewhereAreNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	t.Cleanup(other.Close)
	userinfo := strings.Replace(other.URL, "http://", "http://user@", 1)
	for _, elsewhere := range []string{
		other.URL, strings.Replace(other.URL, "http://", "//", 1), userinfo, "https://127.0.0.1/", "file:///etc/passwd",
		"http://127.0.0.1:1/", "http://localhost.evil.example/", "http://[::1", "\\\\evil.example",
	} {
		steps := request("/away", ", follow: true", `{if: {status: 307}, then: {refused: invalid_credentials}}`)
		step, err := login(t, site(t, redirects(elsewhere), steps), "good-password")
		if strings.HasPrefix(elsewhere, `\\`) { // a path of the same origin, if a strange one
			if _, ok := step.(connector.Prompt); ok {
				t.Errorf("%s: %+v", elsewhere, step)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", elsewhere, err)
			continue
		}
		wantPrompt(t, step, latchkey.StateLogin, latchkey.FailureInvalidCredentials)
	}
}

func TestAPathNeverLeavesItsPlace(t *testing.T) {
	for saved, want := range map[string]string{
		"plain":        "/api/u/plain/x?q=plain",
		"a/../../b":    "/api/u/a%2F..%2F..%2Fb/x?q=a%2F..%2F..%2Fb",
		"a?b=c#d":      "/api/u/a%3Fb=c%23d/x?q=a%3Fb%3Dc%23d",
		"ü %2e%2e\r\n": "/api/u/%C3%BC%20%252e%252e%0D%0A/x?q=%C3%BC+%252e%252e%0D%0A",
		"..":           "",
		".":            "",
		"":             "",
	} {
		var got string
		mux := http.NewServeMux()
		mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(mustQuote(saved))
		})
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			got = r.RequestURI
			w.WriteHeader(http.StatusNoContent)
		})
		_, err := login(t, site(t, mux, `
  - name: enter
    requests:
      - {method: POST, path: /login, save: {id: {json: $}}}
      - {method: GET, path: "/api/u/{{saved.id}}/x", query: {q: "{{saved.id}}"}}
    when: [{if: {status: 204}, then: done}]
`), "good-password")
		refused := err != nil && strings.Contains(err.Error(), "saved.id can't stand in a path")
		if refused != (want == "") || got != want {
			t.Errorf("%q: asked for %q, want %q; error %v", saved, got, want, err)
		}
	}
}
