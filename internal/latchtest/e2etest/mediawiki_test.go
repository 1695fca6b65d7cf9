package e2etest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/connector"
	"latchkey/internal/connector/recipe"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/mediawikitest"
)

// wiki is Latchkey before a real MediaWiki, and a look at what goes between.
type wiki struct {
	*latchtest.Server
	site     string
	mu       sync.Mutex
	sessions []string // Cookie headers of those who have logged in, the oldest first
	renewals int
	callback string
}

const whoAmI = "/api.php?action=query&meta=userinfo&format=json"

// newWiki starts the site with ada and bob, and Latchkey with its recipe.
func newWiki(t *testing.T) *wiki {
	t.Helper()
	site := mediawikitest.Start(t)
	site.CreateUser(t, "Ada", password)
	site.CreateUser(t, "Bob", password)
	w := &wiki{site: site.URL}
	text, err := os.ReadFile("../../../docs/examples/mediawiki.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := recipe.Parse("mediawiki.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := recipe.New(parsed, recipe.Options{BaseURL: w.between(t)})
	if err != nil {
		t.Fatal(err)
	}
	w.Server = latchtest.Start(t, latchtest.Options{Connectors: []connector.Connector{provider}})
	shop := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(shop.Close)
	w.callback = shop.URL + "/callback"
	return w
}

// between stands between Latchkey and the site.
func (w *wiki) between(t *testing.T) string {
	t.Helper()
	target, err := url.Parse(w.site)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) { request.SetURL(target) },
		ModifyResponse: func(answer *http.Response) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if answer.Request.URL.RequestURI() == whoAmI && answer.Request.Header.Get("X-Proxied") == "" {
				w.renewals++
			}
			var cookies []string
			for _, cookie := range answer.Cookies() {
				cookies = append(cookies, cookie.Name+"="+cookie.Value)
			}
			if answer.StatusCode == http.StatusFound { // the site sends on whom it knows
				w.sessions = append(w.sessions, strings.Join(cookies, "; "))
			}
			return nil
		},
	})
	t.Cleanup(server.Close)
	return server.URL
}

// asked returns how many renewals the site has seen.
func (w *wiki) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.renewals
}

// latest returns the cookies of the login before the last n.
func (w *wiki) latest(n int) string {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sessions) <= n {
		w.Fatalf("the site has seen %d logins", len(w.sessions))
	}
	return w.sessions[len(w.sessions)-1-n]
}

// ask sends the site a request of a session.
func (w *wiki) ask(method, path, session string, form url.Values) string {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), method, w.site+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Cookie", session)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

// alive reports whether the site knows who a session is.
func (w *wiki) alive(session string) bool {
	w.Helper()
	return !strings.Contains(w.ask(http.MethodGet, whoAmI, session, nil), `"anon"`)
}

// end logs a session out behind Latchkey's back.
func (w *wiki) end(session string) {
	w.Helper()
	if !w.alive(session) {
		w.Fatal("the session has ended before")
	}
	_, token, _ := strings.Cut(w.ask(http.MethodGet, "/api.php?action=query&meta=tokens&format=json", session, nil), `"csrftoken":"`)
	token, _, _ = strings.Cut(token, `"`)
	w.ask(http.MethodPost, "/api.php", session, url.Values{
		"action": {"logout"}, "format": {"json"}, "token": {strings.ReplaceAll(token, `\\`, `\`)},
	})
	if w.alive(session) {
		w.Fatal("the session did not end")
	}
}

// link asks for a link and goes to the login page.
func (w *wiki) link(more ...string) *latchtest.Visit {
	w.Helper()
	body := map[string]any{
		"clientAppId": w.Trial.ClientApps["redirect"], "provider": "mediawiki", "clientReferenceId": "user_1",
		"redirectUrl": w.callback,
	}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	return w.Visit(w.Init(body).URL).Consent()
}

// landed returns a parameter of where the person was sent.
func landed(visit *latchtest.Visit, name string) string {
	if visit.Landed == nil {
		return "(still on the page " + visit.Title() + ": " + visit.Text() + ")"
	}
	return visit.Landed.Query().Get(name)
}

// proxied asks the wiki through Latchkey who the connection is.
func (w *wiki) proxied(status int, connection string) string {
	w.Helper()
	return string(w.Want(status, "GET", "/v2/access/proxy"+whoAmI, nil, "x-connection-id", connection, "X-Proxied", "yes").Body)
}

func TestALifeAtMediaWiki(t *testing.T) {
	w := newWiki(t)
	visit := w.link()
	visit.Submit("continue", "username", "Ada", "password", "not the password")
	if visit.Landed != nil || !strings.Contains(visit.Text(), "4 attempts left") {
		t.Fatalf("after a wrong password: %s", visit.Text())
	}
	visit.Submit("continue", "username", "Ada", "password", password)
	connection := landed(visit, "connection_id")
	if who := w.proxied(http.StatusOK, connection); !strings.Contains(who, `"name":"Ada"`) {
		t.Fatalf("a proxied request is of %s", who)
	}

	t.Run("the session is renewed whenever its time is up", func(t *testing.T) {
		for n := range 2 {
			before := w.asked()
			w.Clock.Move(time.Hour)
			if who := w.proxied(http.StatusOK, connection); !strings.Contains(who, `"name":"Ada"`) {
				t.Errorf("a proxied request is of %s", who)
			}
			w.proxied(http.StatusOK, connection)
			if asked := w.asked() - before; asked != 1 {
				t.Errorf("after hour %d the site was asked %d times to renew", n+1, asked)
			}
		}
	})
	t.Run("to reconnect with another account is a mismatch, and its login is ended", func(t *testing.T) {
		visit := w.link("connectionId", connection)
		visit.Submit("continue", "username", "Bob", "password", password)
		if visit.Landed == nil { // a page says it first
			visit.Submit("continue")
		}
		if code := landed(visit, "error_code"); code != "account_mismatch" {
			t.Errorf("error_code %s", code)
		}
		bob := w.latest(0)
		latchtest.Eventually(t, "the login of the other account is ended", func() bool { return !w.alive(bob) })
		w.proxied(http.StatusOK, connection)
	})
	t.Run("to reconnect with the same account keeps the connection", func(t *testing.T) {
		visit := w.link("connectionId", connection)
		visit.Submit("continue", "username", "Ada", "password", password)
		if again := landed(visit, "connection_id"); again != connection {
			t.Errorf("connection %s became %s", connection, again)
		}
		w.proxied(http.StatusOK, connection)
	})
	t.Run("to disconnect ends the session at the site", func(t *testing.T) {
		session := w.latest(0)
		if !w.alive(session) {
			t.Fatal("the session was not alive before")
		}
		w.Want(http.StatusOK, "POST", "/v2/account/connections/"+connection+"/invalidate", map[string]any{})
		latchtest.Eventually(t, "the session is ended at the site", func() bool { return !w.alive(session) })
		w.proxied(http.StatusUnauthorized, connection)
	})
	for _, stays := range []bool{true, false} {
		name := map[bool]string{true: "a password that was left here logs in again", false: "otherwise nothing does"}[stays]
		t.Run(name, func(t *testing.T) { w.outlives(t, stays) })
	}
	if strings.Contains(w.Log.Text(), password) {
		t.Error("the password stands in the log")
	}
}

// outlives links Ada, ends her session behind Latchkey's back, lets its time
// pass, and sees whether the connection lives on.
func (w *wiki) outlives(t *testing.T, stays bool) {
	visit := w.link("clientReferenceId", t.Name())
	fields := []string{"username", "Ada", "password", password}
	if stays {
		fields = append(fields, "stay_connected", "true")
	}
	visit.Submit("continue", fields...)
	connection := landed(visit, "connection_id")
	w.end(w.latest(0))
	w.Clock.Move(time.Hour)
	if !stays {
		w.proxied(http.StatusUnauthorized, connection)
		return
	}
	if who := w.proxied(http.StatusOK, connection); !strings.Contains(who, `"name":"Ada"`) {
		t.Errorf("after another login a proxied request is of %s", who)
	}
}
