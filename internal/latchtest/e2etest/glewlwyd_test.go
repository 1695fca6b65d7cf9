package e2etest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/glewlwydtest"
	"latchkey/internal/latchtest/shottest"
)

func TestAnAccountIsLinkedInABrowser(t *testing.T) {
	s := newScene(t, latchtest.Options{})
	link := s.hosted("in-a-browser")
	tab := shottest.Open(t).Visit(t, link.URL, shottest.View{Width: 390, Height: 800, Still: true})
	tab.Click(`button[value="continue"]`)
	tab.Click(`button[value="approve"]`)
	tab.Type(`input[name="username"]`, username)
	tab.Type(`input[name="password"]`, "not the password")
	tab.Click(`button[value="continue"]`)
	tab.Await(`[role="alert"]`)
	tab.Type(`input[name="password"]`, password+"\r") // the name is still there; Enter continues
	tab.Type(`input[name="code"]`, s.code())
	tab.Click(`button[value="continue"]`)
	tab.Await("#shop")
	address, err := url.Parse(tab.URL())
	if err != nil {
		t.Fatal(err)
	}
	connection := s.landed(address, link, "in-a-browser")
	s.linked(connection, "in-a-browser")
	s.leaksNothing(link)
}

func TestAnAccountIsLinkedWithoutJavaScript(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		s := newScene(t, options)
		link := s.hosted("plain")
		visit := s.Visit(link.URL).Consent()
		visit.Submit("continue", "username", username, "password", "wrong")
		if visit.Landed != nil || !strings.Contains(visit.Text(), "4 attempts left") {
			t.Fatalf("after a wrong password: %s", visit.Text())
		}
		visit.Submit("continue", "username", username, "password", password)
		visit.Submit("continue", "code", glewlwydtest.WrongCode(t, s.totp))
		if visit.Landed != nil || visit.Page.Find(`[role="alert"]`).Length() == 0 {
			t.Fatalf("after a wrong code: %s", visit.Text())
		}
		visit.Submit("continue", "code", s.code())
		connection := s.landed(visit.Landed, link, "plain")
		s.linked(connection, "plain")
		s.leaksNothing(link)
	})
}

// state is how a session stands, in JSON.
type state struct {
	Status string `json:"status"`
	Data   struct {
		ID   string `json:"id"`
		Step struct {
			Name         string `json:"name"`
			Version      int64  `json:"version"`
			TextVersion  string `json:"textVersion"`
			AttemptsLeft int    `json:"attemptsLeft"`
			Fields       []struct {
				Name string `json:"name"`
			} `json:"fields"`
		} `json:"step"`
		TwoFactorState struct {
			Options []string `json:"options"`
		} `json:"twoFactorState"`
	} `json:"data"`
}

func TestAnAccountIsLinkedInJSON(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		s := newScene(t, options)
		link := s.Init(map[string]any{
			"clientAppId": s.Trial.ClientApps["whitelabel"], "provider": "glewlwyd", "clientReferenceId": "json",
		})
		path := "/v2/link/" + link.Secret()
		current := latchtest.Decode[state](s.Server, s.Want(http.StatusOK, "GET", path, nil))
		submit := func(want string, fields map[string]string) {
			t.Helper()
			current = latchtest.Decode[state](s.Server, s.Want(http.StatusAccepted, "POST", path+"/submit",
				map[string]any{"version": current.Data.Step.Version, "fields": fields}))
			if current.Status != want {
				t.Fatalf("the session is %s, want %s", current.Status, want)
			}
		}
		submit("initialized", map[string]string{"textVersion": current.Data.Step.TextVersion})
		submit("invalid_credentials", map[string]string{"username": username, "password": "wrong"})
		if current.Data.Step.AttemptsLeft != 4 {
			t.Errorf("%d attempts left", current.Data.Step.AttemptsLeft)
		}
		submit("awaiting_2fa", map[string]string{"username": username, "password": password})
		if len(current.Data.TwoFactorState.Options) != 1 || current.Data.TwoFactorState.Options[0] != "app" {
			t.Errorf("second factors: %v", current.Data.TwoFactorState.Options)
		}
		submit("awaiting_2fa", map[string]string{"code": glewlwydtest.WrongCode(t, s.totp)})
		submit("completed", map[string]string{"code": s.code()})
		s.linked(current.Data.ID, "json")
		s.leaksNothing(link)
	})
}

func TestAConnectionIsLinkedAnewAndTakenByNobodyElse(t *testing.T) {
	site := glewlwydtest.Start(t)
	for _, name := range []string{username, "eve"} {
		site.CreateUser(t, glewlwydtest.User{Username: name, Password: password, Name: name, Email: name + "@example.org"})
	}
	watched := newWitness(t, site)
	n := startNetwork(t, latchtest.Options{}, &clocked{}, glewlwyd(t, watched.URL))
	logIn := func(connection, name string) *latchtest.Visit {
		return n.open("ada", connection).Submit("continue", "username", name, "password", password)
	}
	connection := n.landed(logIn("", username), "success").Get("connection_id")
	n.only(connection, username)
	n.mismatch(logIn(connection, "eve"))
	n.only(connection, username)
	if again := n.landed(logIn(connection, username), "success").Get("connection_id"); again != connection {
		t.Errorf("linked again it became %s", again)
	}
	profile := n.proxied(http.StatusOK, "GET", "api/profile_list/", connection, nil)
	if !strings.Contains(string(profile.Body), `"ada@example.org"`) {
		t.Errorf("the profile of somebody else: %s", profile.Body)
	}
	before := watched.alive(t)
	n.disconnect(connection)
	latchtest.Eventually(t, "its session is logged out", func() bool { return watched.alive(t) < before })
	n.proxied(http.StatusUnauthorized, "GET", "api/profile_list/", connection, nil)
}
