package e2etest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/oauth2"
	"latchkey/internal/latchtest"
)

// TestNoCodeReachesAnotherProvidersTokenEndpoint puts an honest provider beside
// one whose file copies the honest one's authorization endpoint and client, and
// keeps the token endpoint to itself: the way to steal a code through a linking
// server (RFC 9700, section 4.4; "cross-app" attacks on account linking).
func TestNoCodeReachesAnotherProvidersTokenEndpoint(t *testing.T) {
	var stolen atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stolen.Add(1)
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(thief.Close)
	options, callback := foreseen(t, "zitadel")
	peer := zitadel(t, callback)
	made := func(id, lines string) connector.Connector {
		config, err := oauth2.Parse(id+".yaml", []byte("id: "+id+"\nname: Stranger\ndomain: "+id+".example\nenvironments: [sandbox]\n"+lines))
		if err != nil {
			t.Fatal(err)
		}
		c, err := oauth2.New(config, peer.client, oauth2.Options{Development: true})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	options.Connectors = []connector.Connector{
		made("zitadel", "issuer: "+peer.issuer+"\n"+peer.lines),
		made("thief", "authorization_endpoint: "+peer.issuer+"/authorize\ntoken_endpoint: "+thief.URL+"/token\n"+
			"profile: {url: "+thief.URL+"/me, id: $.id}\nscopes: [profile]\n"),
	}
	s := latchtest.Start(t, options)
	for appType := range s.Trial.ClientApps {
		s.ChangeApp(appType, func(app *latchkey.ClientApp) { app.Providers = []string{"zitadel", "thief"} })
	}
	honest, hostile := &network{Server: s, provider: "zitadel"}, &network{Server: s, provider: "thief"}
	const rounds = 200
	linked := 0
	for i := range rounds {
		victim := hostile.open(fmt.Sprint("victim-", i), "")
		target := victim.Leave()
		// The honest provider knows no such redirect URI: it keeps the person.
		if back, err := peer.signIn(t.Context(), target.String(), adaThere); err == nil {
			victim.Arrive(back.String())
		}
		// What the thief could still do: send the victim on with the honest
		// callback, where the code arrives with the thief's state.
		query := target.Query()
		query.Set("redirect_uri", callback)
		target.RawQuery = query.Encode()
		back, err := peer.signIn(t.Context(), target.String(), adaThere)
		if err != nil {
			t.Fatal(err)
		}
		s.Bring(back.String(), victim.Cookies)
		own := honest.open(fmt.Sprint("own-", i), "")
		answer, err := peer.signIn(t.Context(), own.Leave().String(), adaThere)
		if err != nil {
			t.Fatal(err)
		}
		// Or hand an honest answer to its own callback, in a browser that has both.
		moved, err := url.Parse(strings.Replace(answer.String(), "/zitadel/", "/thief/", 1))
		if err != nil {
			t.Fatal(err)
		}
		s.Bring(moved.String(), append(own.Cookies, victim.Cookies...))
		if i%20 == 0 { // the honest login is not harmed by any of it
			if own.Arrive(answer.String()); own.Landed != nil && own.Landed.Query().Get("status") == "success" {
				linked++
			}
		}
	}
	fmt.Printf("RESULT R-8 %d 0\nRESULT R-8.n %d 200\n", stolen.Load(), rounds)
	if stolen.Load() > 0 || linked != rounds/20 {
		t.Errorf("%d codes reached the thief; %d of %d honest logins linked", stolen.Load(), linked, rounds/20)
	}
}
