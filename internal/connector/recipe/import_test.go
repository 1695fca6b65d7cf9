package recipe_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/recipe"
	"latchkey/internal/latchtest/glewlwydtest"
)

const browser = "Mozilla/5.0 (X11; Linux x86_64) Gecko"

// imported takes over the session of a Cookie header.
func imported(t *testing.T, c *recipe.Connector, header, userAgent string) (connector.Done, error) {
	t.Helper()
	return c.Import(t.Context(), connector.Flow{SessionID: "conn_1", HTTP: wayOut, Now: time.Now()},
		latchkey.NewSecret([]byte(header)), latchkey.NewSecret([]byte(userAgent)))
}

// mustImport wants a session to be taken over.
func mustImport(t *testing.T, c *recipe.Connector, header, userAgent string) connector.Done {
	t.Helper()
	done, err := imported(t, c, header, userAgent)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// wantRefusedImport wants the failure of a session that the provider does not
// know, whose reason tells nothing of the cookies.
func wantRefusedImport(t *testing.T, name string, err error) {
	t.Helper()
	failure, ok := errors.AsType[*connector.Failure](err)
	if !ok || failure.Code != latchkey.FailureInvalidCredentials || strings.Contains(err.Error(), "sid") {
		t.Errorf("%s: %v, want invalid_credentials", name, err)
	}
}

// cookieSite is a site whose sessions are a cookie that is tied to the user
// agent which it was made for. It remembers what asked it.
type cookieSite struct {
	mu     sync.Mutex
	agents map[string]int
	down   bool
}

func (s *cookieSite) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.agents[r.UserAgent()]++
		sid, err := r.Cookie("sid")
		switch {
		case s.down:
			w.WriteHeader(http.StatusBadGateway)
		case err != nil || sid.Value != "s3ss10n" || r.UserAgent() != browser:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: fmt.Sprint(s.agents[browser]), Path: "/"})
			answerJSON(w, http.StatusOK, `{"id":7,"login":"ada"}`)
		}
	})
	return mux
}

const cookieSteps = `
  - name: enter
    requests:
      - {method: POST, path: /login}
    when: [{if: {status: 200}, then: done}]
profile: {request: {method: GET, path: /profile}, id: $.id, username: $.login}
logout: {requests: [{method: POST, path: /out}]}
`

func TestASessionIsImported(t *testing.T) {
	s := &cookieSite{agents: map[string]int{}}
	c := site(t, s.mux(), cookieSteps)
	if !c.Imports() {
		t.Fatal("a site with cookies can't be imported from")
	}
	done := mustImport(t, c, `theme=dark; sid=s3ss10n; q="a b"`, browser)
	if diff := cmp.Diff(latchkey.UserData{ID: "7", Username: "ada", Name: done.User.Name}, done.User); diff != "" {
		t.Error(diff)
	}
	t.Run("and its cookies and user agent go with every request", func(t *testing.T) {
		header := authorised(t, c, done.Credential.Secret, "posts")
		if diff := cmp.Diff([]string{browser}, header["User-Agent"]); diff != "" {
			t.Error(diff)
		}
		for _, part := range []string{"theme=dark", "sid=s3ss10n", `q="a b"`, "seen=1"} {
			if !strings.Contains(header.Get("Cookie"), part) {
				t.Errorf("the cookies %q lack %s", header.Get("Cookie"), part)
			}
		}
		access := connector.Access{Credential: done.Credential.Secret, HTTP: wayOut, Now: time.Now()}
		if _, err := c.Check(t.Context(), access); err != nil {
			t.Errorf("a check: %v", err)
		}
		if err := c.Revoke(t.Context(), access); err != nil {
			t.Errorf("a logout: %v", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.agents) != 1 {
			t.Errorf("the site was asked by %v", s.agents)
		}
	})
	t.Run("unless the site does not know it", func(t *testing.T) {
		for name, with := range map[string]struct{ header, userAgent string }{
			"another session":               {"sid=other", browser},
			"another user agent":            {"sid=s3ss10n", "curl/8"},
			"no cookie":                     {"", browser},
			"half a cookie":                 {"sid", browser},
			"a line break":                  {"sid=s3ss10n\r\nx: y", browser},
			"a line break in the agent":     {"sid=s3ss10n", browser + "\nx: y"},
			"a user agent too long":         {"sid=s3ss10n", strings.Repeat("x", 513)},
			"cookies too long":              {"sid=s3ss10n; a=" + strings.Repeat("x", 20000), browser},
			"more cookies than anybody has": {strings.Repeat("a=b; ", 500) + "sid=s3ss10n", browser},
		} {
			_, err := imported(t, c, with.header, with.userAgent)
			wantRefusedImport(t, name, err)
		}
	})
	t.Run("and an outage is no refusal", func(t *testing.T) {
		s.mu.Lock()
		s.down = true
		s.mu.Unlock()
		_, err := imported(t, c, "sid=s3ss10n", browser)
		if failure, refused := errors.AsType[*connector.Failure](err); err == nil || refused || strings.Contains(err.Error(), "s3ss10n") {
			t.Errorf("got %v, %v", err, failure)
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = c.Import(over, connector.Flow{HTTP: wayOut}, latchkey.NewSecret([]byte("sid=s3ss10n")), latchkey.NewSecret([]byte(browser)))
		if _, refused := errors.AsType[*connector.Failure](err); err == nil || refused {
			t.Errorf("a cancelled import says %v", err)
		}
	})
}

func TestASiteWithoutCookiesCanNotBeImportedFrom(t *testing.T) {
	c := site(t, (&tokenSite{}).mux(), strings.Replace(tokenSteps, ", cookies: true}", "}", 1))
	if c.Imports() {
		t.Error("it says that it can")
	}
}

func TestASessionIsExported(t *testing.T) {
	c := site(t, (&tokenSite{}).mux(), tokenSteps)
	got, err := c.Export(mustLogin(t, c).Credential.Secret)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"cookies":[{"name":"csrf","value":"c1","path":"/"},{"name":"deep","value":"d1","path":"/v1/deep"}],"saved":{"token":"t0ken"}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if _, err := c.Export([]byte("{}")); err == nil {
		t.Error("what is no credential was exported")
	}
}

func TestASessionOfGlewlwydIsExportedAndImported(t *testing.T) {
	server := glewlwydtest.Start(t)
	server.CreateUser(t, glewlwydtest.User{Username: "ada", Password: "good-password", Name: "Ada Lovelace", Email: "ada@example.org"})
	c := glewlwyd(t, server.URL, nil)
	done := linked(t, c, "ada", "good-password", "")
	exported, err := c.Export(done.Credential.Secret)
	if err != nil {
		t.Fatal(err)
	}
	var session struct {
		Cookies []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"cookies"`
	}
	if err := json.Unmarshal(exported, &session); err != nil || len(session.Cookies) == 0 {
		t.Fatalf("exported %d cookies, %v", len(session.Cookies), err)
	}
	var header []string
	for _, cookie := range session.Cookies {
		header = append(header, cookie.Name+"="+cookie.Value)
	}
	brought := mustImport(t, c, strings.Join(header, "; "), browser)
	if diff := cmp.Diff(done.User, brought.User); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{"profile_list/", "profile/session/"} {
		if got := proxied(t, c, brought.Credential.Secret, path); got != http.StatusOK {
			t.Errorf("%s answers %d", path, got)
		}
	}
	if agent := authorised(t, c, brought.Credential.Secret, "api/profile_list/").Get("User-Agent"); agent != browser {
		t.Errorf("proxied requests come from %q", agent)
	}
	access := connector.Access{Credential: brought.Credential.Secret, HTTP: wayOut, Now: time.Now()}
	if err := c.Revoke(t.Context(), access); err != nil {
		t.Fatal(err)
	}
	_, err = imported(t, c, strings.Join(header, "; "), browser)
	wantRefusedImport(t, "after the logout", err)
	_, err = imported(t, c, "GLEWLWYD2_SESSION_ID=sid-nobody", browser)
	wantRefusedImport(t, "nobody's session", err)
}
