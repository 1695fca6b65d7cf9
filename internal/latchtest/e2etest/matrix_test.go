package e2etest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/internal/connector/matrix"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/matrixtest"
)

// startMatrix starts the app before a homeserver with two users.
func startMatrix(t *testing.T, options latchtest.Options, flows ...string) (n *network, site *matrixtest.Server, ada, eve string) {
	t.Helper()
	clock := &clocked{}
	site = matrixtest.Start(t, matrixtest.Options{Now: clock.Now, Flows: flows})
	n = startNetwork(t, options, clock, matrix.New(matrix.Config{Environments: sandboxed, Loopback: true}))
	ada = site.Create(matrixtest.User{Localpart: "ada", Password: password, DisplayName: "Ada Lovelace"})
	eve = site.Create(matrixtest.User{Localpart: "eve", Password: "another password"})
	return n, site, ada, eve
}

// byPassword logs in with an ID and a password.
func byPassword(visit *latchtest.Visit, id, password string) *latchtest.Visit {
	return visit.Submit("continue", "username", id).Submit("continue", "password", password)
}

func TestAMatrixAccountIsLinkedByPassword(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		n, site, ada, _ := startMatrix(t, options, "m.login.password")
		visit := byPassword(n.open("ada", ""), ada, "wrong")
		if visit.Landed != nil || visit.Page.Find(`input[type="password"]`).Length() != 1 {
			t.Fatalf("after a wrong password: %s", visit.Text())
		}
		connection := n.landed(visit.Submit("continue", "password", password), "success").Get("connection_id")
		if linked := n.only(connection, ada); linked.UserData.Name != "Ada Lovelace" {
			t.Errorf("linked %+v", linked.UserData)
		}
		if options.DatabaseURL == "" {
			n.nowhere(ada, password)
		}
		for renewed := range 3 {
			rooms := n.proxied(http.StatusOK, "GET", "v3/joined_rooms", connection, nil)
			if !strings.Contains(string(rooms.Body), "!lobby:") {
				t.Errorf("the rooms are %s", rooms.Body)
			}
			if calls := site.Calls("POST /v3/refresh"); calls != renewed {
				t.Errorf("after %d times five minutes it was renewed %d times", renewed, calls)
			}
			n.Clock.Move(5 * time.Minute)
		}
		n.proxied(http.StatusForbidden, "POST", "v1/login/get_token", connection, map[string]any{})
		if site.Calls("POST /v1/login/get_token") != 0 {
			t.Error("the app got a login of its own")
		}
		if devices := site.Devices(ada); len(devices) != 1 {
			t.Errorf("devices %v", devices)
		}
		n.disconnect(connection)
		latchtest.Eventually(t, "the device is logged out", func() bool { return len(site.Devices(ada)) == 0 })
	})
}

func TestAMatrixAccountIsLinkedOnTheHomeserversOwnPage(t *testing.T) {
	n, site, ada, eve := startMatrix(t, latchtest.Options{}, "m.login.sso", "m.login.token", "m.login.password")
	// arrive goes to the homeserver's page, logs in there and comes back.
	arrive := func(reference, connection, localpart, password string) *latchtest.Visit {
		visit := n.open(reference, connection).Submit("continue", "username", ada)
		back, err := site.SignIn(t.Context(), visit.Leave().String(), localpart, password)
		if err != nil {
			t.Fatal(err)
		}
		return visit.Arrive(back.String())
	}
	connection := n.landed(arrive("ada", "", "ada", password), "success").Get("connection_id")
	n.only(connection, ada)
	n.proxied(http.StatusOK, "GET", "v3/account/whoami", connection, nil)
	if strings.Contains(n.Log.Text(), "login_") {
		t.Error("a login token stands in the log")
	}

	t.Run("another account does not take its connection", func(t *testing.T) {
		n.mismatch(arrive("ada", connection, "eve", "another password"))
		n.only(connection, ada)
		latchtest.Eventually(t, "the other's device is logged out", func() bool { return len(site.Devices(eve)) == 0 })
	})
	t.Run("a device that was logged out is linked anew, with its id", func(t *testing.T) {
		site.LogOut(ada)
		n.Clock.Move(5 * time.Minute)
		n.proxied(http.StatusUnauthorized, "GET", "v3/joined_rooms", connection, nil)
		if got := n.landed(arrive("ada", connection, "ada", password), "success").Get("connection_id"); got != connection {
			t.Errorf("it became %s", got)
		}
		n.proxied(http.StatusOK, "GET", "v3/joined_rooms", connection, nil)
	})
}

func TestAPasswordOnItsOwnPageCountsAgainstTheAccount(t *testing.T) {
	n, site, ada, _ := startMatrix(t, latchtest.Options{Limits: latchtest.Limits{AttemptsPerAccount: 1}}, "m.login.password")
	for range 5 {
		byPassword(n.open("ada", ""), ada, "wrong")
	}
	before := site.Calls("POST /v3/login")
	visit := n.open("ada", "").Submit("continue", "username", ada)
	if visit.Page.Find(`input[name="username"]`).Length() != 1 || site.Calls("POST /v3/login") != before {
		t.Errorf("a sixth password may be tried: %s", visit.Text())
	}
}
