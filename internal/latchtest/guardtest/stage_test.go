package guardtest

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// still takes away what makes a page change by itself, so that it stays while it
// is looked at: the header by which it loads itself again, and the stream of
// events, which would also hold a connection for each of many frames.
func still(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/s/") && strings.HasSuffix(r.URL.Path, "/events") {
			w.Header().Set("Content-Type", "text/html; charset=utf-8") // no stream: HTML, section 9.2.2, do not connect again
			return
		}
		handler.ServeHTTP(restful{w}, r)
	})
}

type restful struct{ http.ResponseWriter }

func (w restful) WriteHeader(status int) {
	w.Header().Del("Refresh")
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a handler flush.
func (w restful) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// start starts the app with a provider of each way to sign in, as it is when
// nothing runs in the background and time stands still: what waits, waits on.
func start(t testing.TB, connectors ...connector.Connector) *latchtest.Server {
	t.Helper()
	s := latchtest.Start(t, latchtest.Options{Idle: true, Around: still, Connectors: append(connectors, elsewhere{})})
	s.Clock.Freeze(s.Clock.Now())
	return s
}

// open opens the page of a new link of the app.
func open(s *latchtest.Server, app latchkey.AppType, provider string) *latchtest.Visit {
	s.Helper()
	body := map[string]any{"clientAppId": s.Trial.ClientApps[app], "expiresIn": 3600}
	if provider != "" {
		body["provider"] = provider
	}
	return s.Visit(s.Init(body).URL)
}

// pagesOf brings one link of the app to each page and returns their addresses.
func pagesOf(s *latchtest.Server, app latchkey.AppType) map[string]string {
	s.Helper()
	signIn := func(address, password string) *latchtest.Visit {
		return open(s, app, "sandbox").Consent().Submit("continue", "username", address+".sandbox.com", "password", password)
	}
	old := s.Init(map[string]any{"clientAppId": s.Trial.ClientApps[app], "provider": "sandbox", "expiresIn": 300})
	s.Clock.Move(10 * time.Minute)
	pages := map[string]string{
		"expired":             old.URL,
		"pre-login":           open(s, app, "sandbox").URL,
		"pre-login-providers": open(s, app, "").URL,
		"authorization":       open(s, app, "sandbox").Submit("continue").URL,
		"login":               open(s, app, "sandbox").Consent().URL,
		"login-refused":       signIn("jo@creator", "wrong").URL,
		"login-unavailable":   signIn("jo@down", "good-password").URL,
		"2fa":                 signIn("jo@phone", "good-password").URL,
		"2fa-refused":         signIn("jo@creator-otp", "good-password").Submit("continue", "code", "000000").URL,
		"2fa-methods":         signIn("jo@phone-otp", "good-password").URL,
		"wait":                signIn("jo@push", "good-password").URL,
		"wait-looked":         signIn("jo@push", "good-password").Submit("poll").URL,
		"redirect":            open(s, app, "elsewhere").Consent().URL,
		"error":               signIn("jo@locked", "good-password").URL,
		"gone":                s.URL + "/cs_unknown",
	}
	s.ChangeApp(app, func(a *latchkey.ClientApp) { a.RequireConfirmation = true })
	confirmed := s.Init(map[string]any{"clientAppId": s.Trial.ClientApps[app], "provider": "sandbox", "clientReferenceId": "user_1", "expiresIn": 3600})
	s.Visit(confirmed.URL).Consent().Submit("continue", "username", "jo@creator.sandbox.com", "password", "good-password")
	pages["confirming"] = confirmed.URL
	var uris []string
	s.ChangeApp(app, func(a *latchkey.ClientApp) { uris, a.RedirectURIs, a.RequireConfirmation = a.RedirectURIs, nil, false })
	pages["done"] = signIn("jo@creator", "good-password").URL
	s.ChangeApp(app, func(a *latchkey.ClientApp) { a.RedirectURIs = uris })
	return pages
}

// with returns the address with something more in its query.
func with(address, query string) string {
	if strings.Contains(address, "?") {
		return address + "&" + query
	}
	return address + "?" + query
}

// named returns the names of the pages in order.
func named(pages map[string]string) []string { return slices.Sorted(maps.Keys(pages)) }

// trying is the page of a link whose password is being tried until the
// returned function is called.
func trying(s *latchtest.Server, app latchkey.AppType) (address string, release func()) {
	s.Helper()
	visit := open(s, app, latchtest.ProviderID).Consent()
	form := visit.Form("continue", "username", "ada", "password", latchtest.Password)
	address = visit.URL
	letGo, ended := s.Provider.Hold(), make(chan struct{})
	go func() {
		defer close(ended)
		visit.Post(form)
	}()
	latchtest.Eventually(s.TB, "the password is tried", func() bool { return s.Provider.Logins() == 1 })
	return address, func() {
		letGo()
		<-ended
	}
}

// stored returns the session of a page as it lies in the database, every column
// of it.
func stored(s *latchtest.Server, secret string) string {
	s.Helper()
	session, err := s.App.Store().LinkSessionBySecret(s.Context(), latchkey.HashClientSecret(secret))
	if err != nil {
		s.Fatal(err)
	}
	row, err := json.Marshal(session, json.Deterministic(true))
	if err != nil {
		s.Fatal(err)
	}
	return string(row)
}

// phone is how a small phone looks at a page.
var phone = shottest.View{Width: 320, Height: 480, Still: true}

// elsewhere is a provider that people sign in to on its own page.
type elsewhere struct{}

// Describe returns the provider's facts.
func (elsewhere) Describe() connector.Description {
	return connector.Description{ID: "elsewhere", Name: "Elsewhere", Domain: "elsewhere.example", Environments: []latchkey.Environment{latchkey.Sandbox}}
}

// Advance sends the person to the provider, and knows no way back.
func (elsewhere) Advance(_ context.Context, flow connector.Flow, _ connector.Input) (connector.Step, error) {
	if flow.State != nil {
		return nil, errors.New("nobody comes back from elsewhere")
	}
	target := url.URL{Scheme: "https", Host: "elsewhere.example", Path: "/authorize"}
	return connector.Redirect{URL: target.String(), State: []byte("gone")}, nil
}
