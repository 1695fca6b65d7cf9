package link_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// oddRedirects are URIs that an app may well register and that browsers take
// as they are. {4} is an origin of 127.0.0.1, {6} of [::1], {n} of localhost,
// each with a port.
var oddRedirects = strings.Fields(`
	{4}/callback {4}/ {n}/callback {6}/callback
	{4}/callback? {4}/callback?x=1 {4}/callback?x=1& {4}/callback?x[]=1 {4}/callback?x=%26%3D
	{4}/callback?next=https://evil.example/ {4}/callback?status=error&code=1
	{4}/callback#part {4}/callback# {4}/callback?x=1#part {4}/callback#a?b=c {6}/callback#/route?x
	{4}/a%2Fb {4}/a%2fb {4}/%2F%2Fevil.example {4}/a%5Cb {4}/a%252Fb {4}/%E2%82%AC {4}/%61%62
	{4}/a//b {4}//double {4}/a;b=c {4}/a:b@c {4}/a+b=c&d {4}/(a)!*$,' {4}/..a/.b {4}/127.0.0.1:1@evil.example
	{4}/callback?q=` + strings.Repeat("long", 400))

// shop is the app's side: pages on loopback that remember what was asked for.
type shop struct {
	mu      sync.Mutex
	asked   string // Host and request target
	origins map[string]string
}

// newShop listens on both loopback addresses.
func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{origins: map[string]string{}}
	for name, address := range map[string]string{"{4}": "127.0.0.1:0", "{6}": "[::1]:0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: s}}
		server.Start()
		t.Cleanup(server.Close)
		s.origins[name] = server.URL
	}
	s.origins["{n}"] = strings.Replace(s.origins["{4}"], "127.0.0.1", "localhost", 1)
	return s
}

// ServeHTTP answers with the shop's page.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.RequestURI != "/favicon.ico" {
		s.mu.Lock()
		s.asked = "http://" + r.Host + r.RequestURI
		s.mu.Unlock()
	}
	w.Header().Set("Content-Type", "text/html")
	_, _ = fmt.Fprint(w, `<!doctype html><title>Shop</title><p id="shop">Welcome back</p>`)
}

// fill puts the shop's origin into a URI.
func (s *shop) fill(uri string) string { return s.origins[uri[:3]] + uri[3:] }

// returned is where a person must arrive who has linked: the registered URI,
// byte for byte, with the outcome in its query.
func returned(registered, outcome string) string {
	before, fragment, found := strings.Cut(registered, "#")
	switch {
	case !strings.Contains(before, "?"):
		before += "?"
	case !strings.HasSuffix(before, "?") && !strings.HasSuffix(before, "&"):
		before += "&"
	}
	if found {
		return before + outcome + "#" + fragment
	}
	return before + outcome
}

func TestABrowserArrivesAtTheRegisteredURI(t *testing.T) {
	s, there := latchtest.Start(t, latchtest.Options{Idle: true}), newShop(t)
	var uris []string
	for _, uri := range oddRedirects {
		uris = append(uris, there.fill(uri))
	}
	s.ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) { app.RedirectURIs = uris })
	tab := shottest.Open(t).Visit(t, s.URL+"/healthz", shottest.View{Width: 400, Height: 700, Still: true})
	elsewhere := 0
	for _, registered := range uris {
		link := s.Init(map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppRedirect], "provider": latchtest.ProviderID, "redirectUrl": registered})
		s.Visit(link.URL).Consent()
		tab.Go(link.URL)
		shottest.Eval[string](tab, `document.querySelector('input[name="username"]').value = "ada"`)
		shottest.Eval[string](tab, fmt.Sprintf(`document.querySelector('input[name="password"]').value = %q`, latchtest.Password))
		tab.Click(`button[value="continue"]`)
		tab.Await("#shop")
		session, err := s.App.Store().LinkSessionBySecret(t.Context(), latchkey.HashClientSecret(link.Secret()))
		if err != nil {
			t.Fatal(err)
		}
		want := returned(registered, "status=success&connection_id="+session.Progress.ConnectionID+"&session_id="+link.SessionID)
		asked, _, _ := strings.Cut(want, "#")
		there.mu.Lock()
		if got := tab.URL(); got != want || there.asked != asked {
			elsewhere++
			t.Errorf("the browser went to %s, which got %s, want %s", got, there.asked, want)
		}
		there.mu.Unlock()
	}
	fmt.Printf("RESULT R-1.finish %d 0\n", elsewhere)
	fmt.Printf("RESULT R-1.finish.n %d 20\n", len(oddRedirects))
}
