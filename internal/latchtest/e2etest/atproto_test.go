package e2etest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/internal/connector/atproto"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/atprototest"
)

// The accounts of the AT Protocol.
var (
	atAda = atprototest.Account{
		Handle: "ada.test", Password: password, AppPassword: "abcd-efgh-ijkl-mnop", Name: "Ada Lovelace", SecondFactor: true,
	}
	atEve = atprototest.Account{Handle: "eve.test", Password: "another password", Name: "Eve"}
)

// startATProto starts the app before a network with both accounts.
func startATProto(t *testing.T, options latchtest.Options) (n *network, site *atprototest.Server, ada, eve string) {
	t.Helper()
	clock := &clocked{}
	site = atprototest.Start(t, atprototest.Options{Now: clock.Now})
	n = startNetwork(t, options, clock, atproto.New(atproto.Config{
		Resolver: site.Resolver(), Directory: site.Directory(), Environments: sandboxed, Loopback: true,
	}))
	return n, site, site.Create(atAda), site.Create(atEve)
}

func TestAnAccountOfTheATProtocolIsLinkedWithACodeByEMail(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		n, site, did, _ := startATProto(t, options)
		visit := n.open("ada", "")
		visit.Submit("continue", "username", "@ada.test", "password", "wrong")
		if visit.Landed != nil || !strings.Contains(visit.Text(), "4 attempts left") {
			t.Fatalf("after a wrong password: %s", visit.Text())
		}
		visit.Submit("continue", "username", "@ada.test", "password", password)
		first := site.Code(did)
		visit.Submit("resend")
		if site.Code(did) == first {
			t.Error("no other code was sent")
		}
		visit.Submit("continue", "code", first)
		if visit.Landed != nil || visit.Page.Find(`[role="alert"]`).Length() == 0 {
			t.Fatalf("after an old code: %s", visit.Text())
		}
		if options.DatabaseURL == "" {
			n.nowhere(n.Trial.OrganisationID, password) // though it is kept for the code
		}
		code := site.Code(did)
		connection := n.landed(visit.Submit("continue", "code", code), "success").Get("connection_id")
		linked := n.only(connection, did)
		if linked.UserData.Username != "ada.test" || linked.UserData.Name != "Ada Lovelace" {
			t.Errorf("linked %+v", linked.UserData)
		}
		if options.DatabaseURL == "" {
			n.nowhere(did, password, code)
		}

		post := map[string]any{"repo": did, "collection": "app.bsky.feed.post", "record": map[string]any{"text": "hello"}}
		n.proxied(http.StatusOK, "POST", "com.atproto.repo.createRecord", connection, post)
		profile := n.proxied(http.StatusOK, "GET", "app.bsky.actor.getProfile?actor="+did, connection, nil)
		if !strings.Contains(string(profile.Body), `"postsCount":1`) {
			t.Errorf("the profile is %s", profile.Body)
		}
		n.proxied(http.StatusForbidden, "POST", "com.atproto.server.createAppPassword", connection, map[string]any{"name": "x"})
		if site.Calls("com.atproto.server.createAppPassword") != 0 {
			t.Error("the app got a password of its own")
		}

		n.disconnect(connection)
		latchtest.Eventually(t, "the session is deleted at the PDS", func() bool { return site.Live(did) == 0 })
	})
}

func TestASessionOfTheATProtocolIsRenewed(t *testing.T) {
	n, site, did, _ := startATProto(t, latchtest.Options{})
	connection := n.landed(n.open("ada", "").Submit("continue", "username", did, "password", atAda.AppPassword), "success").
		Get("connection_id")
	for renewed := range 3 {
		n.proxied(http.StatusOK, "GET", "app.bsky.actor.getProfile?actor="+did, connection, nil)
		if calls := site.Calls("com.atproto.server.refreshSession"); calls != renewed {
			t.Errorf("after %d times two hours it was renewed %d times", renewed, calls)
		}
		n.Clock.Move(2 * time.Hour)
	}
	self := n.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", connection)
	if !strings.Contains(string(self.Body), did) {
		t.Errorf("the profile is %s", self.Body)
	}
	t.Run("until the person changes the password", func(t *testing.T) {
		site.SetPassword(did, "a new one")
		n.Clock.Move(2 * time.Hour)
		answer := n.proxied(http.StatusUnauthorized, "GET", "app.bsky.actor.getProfile?actor="+did, connection, nil)
		if !strings.Contains(string(answer.Body), "SESSION_EXPIRED") {
			t.Errorf("the answer is %s", answer.Body)
		}
		if list := n.Connections(); len(list) != 1 || list[0].Status != "expired" {
			t.Errorf("connections %+v", list)
		}
	})
	t.Run("and links it anew, with its id", func(t *testing.T) {
		visit := n.open("ada", connection).Submit("continue", "username", "ada.test", "password", atAda.AppPassword)
		if got := n.landed(visit, "success").Get("connection_id"); got != connection {
			t.Errorf("it became %s", got)
		}
		n.only(connection, did)
		n.proxied(http.StatusOK, "GET", "app.bsky.actor.getProfile?actor="+did, connection, nil)
	})
}

func TestAnotherAccountOfTheATProtocolDoesNotTakeAConnection(t *testing.T) {
	n, site, ada, eve := startATProto(t, latchtest.Options{})
	connection := n.landed(n.open("ada", "").Submit("continue", "username", "ada.test", "password", atAda.AppPassword), "success").
		Get("connection_id")
	n.mismatch(n.open("ada", connection).Submit("continue", "username", "eve.test", "password", atEve.Password))
	n.only(connection, ada)
	latchtest.Eventually(t, "the other's session is deleted", func() bool { return site.Live(eve) == 0 })
	if site.Live(ada) != 1 {
		t.Errorf("%d sessions of the connection's account are live", site.Live(ada))
	}
}
