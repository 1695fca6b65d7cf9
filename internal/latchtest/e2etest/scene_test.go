package e2etest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"latchkey/internal/connector"
	"latchkey/internal/connector/recipe"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/glewlwydtest"
)

const (
	username = "ada"
	password = `Tr0ub4dor & "quotes" +%2B ä` // what a person may well choose
)

// scene is Latchkey before a real Glewlwyd with a user who has a second factor.
type scene struct {
	*latchtest.Server
	witness       *witness
	totp          string
	codes         []string // that were asked for
	sink          *latchtest.Sink
	webhookSecret string
	callback      *httptest.Server
}

func newScene(t *testing.T, options latchtest.Options) *scene {
	t.Helper()
	site := glewlwydtest.Start(t)
	site.CreateUser(t, glewlwydtest.User{Username: username, Password: password, Name: "Ada Lovelace", Email: "ada@example.org"})
	site.RequireOTP(t)
	watched := newWitness(t, site)
	options.Connectors = []connector.Connector{glewlwyd(t, watched.URL)}
	s := &scene{witness: watched, totp: site.RegisterTOTP(t, username), sink: latchtest.NewSink(t)}
	s.Server = latchtest.Start(t, options)
	s.webhookSecret = s.Listen(s.sink, "connection.created", "connection.expired")
	s.callback = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `<title>Shop</title><p id="shop">Welcome back to the shop</p>`)
	}))
	t.Cleanup(s.callback.Close)
	return s
}

// glewlwyd is the example recipe, at the test's own server.
func glewlwyd(t *testing.T, address string) connector.Connector {
	t.Helper()
	text, err := os.ReadFile("../../../docs/examples/glewlwyd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := recipe.Parse("glewlwyd.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	made, err := recipe.New(parsed, recipe.Options{BaseURL: address})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// hosted asks for a link that comes back to the scene's own listener.
func (s *scene) hosted(reference string) latchtest.Link {
	s.Helper()
	return s.Init(map[string]any{
		"clientAppId": s.Trial.ClientApps["redirect"], "provider": "glewlwyd", "clientReferenceId": reference,
		"redirectUrl": s.callback.URL + "/callback",
	})
}

// code returns the second factor of this moment, which the server takes once.
func (s *scene) code() string {
	code := glewlwydtest.Code(s.TB, s.totp)
	s.codes = append(s.codes, code)
	return code
}

// landed checks where the person was sent and returns the connection's id.
func (s *scene) landed(address *url.URL, link latchtest.Link, reference string) string {
	s.Helper()
	if address == nil || address.Scheme+"://"+address.Host+address.Path != s.callback.URL+"/callback" {
		s.Fatalf("the person was sent to %v", address)
	}
	query := address.Query()
	want := map[string]string{"status": "success", "client_reference_id": reference, "session_id": link.SessionID}
	for name, value := range want {
		if query.Get(name) != value {
			s.Errorf("the redirect has %s=%q, want %q", name, query.Get(name), value)
		}
	}
	return query.Get("connection_id")
}

// linked checks all that the app can see and do once the account is linked,
// ends the connection, and sees the session dead at the site.
func (s *scene) linked(connection, reference string) {
	s.Helper()
	list := s.Connections()
	if len(list) != 1 || list[0].ID != connection || list[0].Status != "active" || list[0].Provider != "glewlwyd" ||
		list[0].UserData.Username != username || list[0].UserData.Name != "Ada Lovelace" {
		s.Fatalf("connections: %+v", list)
	}
	s.told("connection.created", connection, reference)

	header := []string{"x-connection-id", connection}
	profile := s.Want(http.StatusOK, "GET", "/v2/access/proxy/api/profile_list/", nil, header...)
	if !strings.Contains(string(profile.Body), `"ada@example.org"`) {
		s.Errorf("the profile of somebody else: %s", profile.Body)
	}
	// The site refuses this without the second factor.
	sessions := s.Want(http.StatusOK, "GET", "/v2/access/proxy/api/profile/session/", nil, header...)
	if !strings.Contains(string(sessions.Body), "session_hash") {
		s.Errorf("no sessions: %s", sessions.Body)
	}
	for _, answer := range []latchtest.Answer{profile, sessions} {
		if len(answer.Header.Values("Set-Cookie")) != 0 {
			s.Error("the site's cookie came through")
		}
	}

	if s.witness.alive(s.TB) == 0 {
		s.Error("the site knows no session although the connection is active")
	}
	s.Want(http.StatusOK, "POST", "/v2/account/connections/"+connection+"/invalidate", map[string]any{})
	// At once, unless the background was faster in taking it up.
	latchtest.Eventually(s.TB, "the session ends at the site", func() bool { return s.witness.alive(s.TB) == 0 })
	s.Want(http.StatusUnauthorized, "GET", "/v2/access/proxy/api/profile_list/", nil, header...)
	s.told("connection.expired", connection, reference)
}

// told waits for the webhook about the connection and verifies it with the
// Standard Webhooks library.
func (s *scene) told(event, connection, reference string) {
	s.Helper()
	verifier, err := webhooks.NewWebhook(s.webhookSecret)
	if err != nil {
		s.Fatal(err)
	}
	var found latchtest.Hook
	latchtest.Eventually(s.TB, event+" arrives", func() bool {
		for _, hook := range s.sink.Hooks() {
			body := string(hook.Body)
			if strings.Contains(body, `"`+event+`"`) && strings.Contains(body, connection) {
				found = hook
				return true
			}
		}
		return false
	})
	if err := verifier.Verify(found.Body, found.Header); err != nil {
		s.Errorf("the signature of %s: %v", event, err)
	}
	if !strings.Contains(string(found.Body), `"clientReferenceId":"`+reference+`"`) {
		s.Errorf("the webhook names no reference: %s", found.Body)
	}
}
