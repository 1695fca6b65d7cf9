package atproto_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/atproto"
	"latchkey/internal/latchtest/atprototest"
)

// skills are those of the connector.
type skills interface {
	connector.Refresher
	connector.Checker
	connector.Revoker
	connector.Authorizer
}

// skilled returns the connector's skills.
func skilled(s *atprototest.Server) skills {
	return atproto.New(atproto.Config{Resolver: s.Resolver(), Directory: s.Directory(), Loopback: true})
}

// access is what a skill works with.
func access(credential []byte) connector.Access {
	return connector.Access{ConnectionID: "conn_test", Credential: bytes.Clone(credential), HTTP: client(), Now: time.Now()}
}

// diedOf demands an ErrDead with the reason.
func diedOf(t *testing.T, err error, reason string) {
	t.Helper()
	if !errors.Is(err, connector.ErrDead) || connector.ReasonOf(err) != reason {
		t.Errorf("got %v, want dead of %s", err, reason)
	}
}

func TestTokensAreRotated(t *testing.T) {
	now := time.Now()
	server := atprototest.Start(t, atprototest.Options{Now: func() time.Time { return now }})
	did := server.Create(ada)
	done := link(t, server)
	c := skilled(server)
	first, err := c.Refresh(t.Context(), access(done.Credential.Secret))
	if err != nil || bytes.Equal(first.Secret, done.Credential.Secret) || first.ExpiresAt.IsZero() {
		t.Fatalf("first refresh: %v", err)
	}
	if _, err := c.Refresh(t.Context(), access(first.Secret)); err != nil {
		t.Fatalf("second refresh: %v", err)
	}
	t.Run("a lost answer can be asked for again within the grace", func(t *testing.T) {
		if _, err := c.Refresh(t.Context(), access(done.Credential.Secret)); err != nil {
			t.Error(err)
		}
	})
	t.Run("a used token is refused afterwards", func(t *testing.T) {
		now = now.Add(3 * time.Hour)
		_, err := c.Refresh(t.Context(), access(done.Credential.Secret))
		diedOf(t, err, connector.DeadRevoked)
	})
	if server.Live(did) != 1 {
		t.Errorf("%d sessions are live", server.Live(did))
	}
}

func TestWhyASessionIsDead(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(*atprototest.Server, string)
		reason string
	}{
		"the password has changed":        {func(s *atprototest.Server, did string) { s.SetPassword(did, "new") }, connector.DeadRevoked},
		"the account has been taken down": {func(s *atprototest.Server, did string) { s.SetStatus(did, "takendown") }, connector.DeadBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			server := atprototest.Start(t, atprototest.Options{})
			did := server.Create(ada)
			done := link(t, server)
			c.end(server, did)
			_, err := skilled(server).Refresh(t.Context(), access(done.Credential.Secret))
			diedOf(t, err, c.reason)
		})
	}
	t.Run("a taken down account is noticed by a check", func(t *testing.T) {
		server := atprototest.Start(t, atprototest.Options{})
		did := server.Create(ada)
		done := link(t, server)
		server.SetStatus(did, "takendown")
		_, err := skilled(server).Check(t.Context(), access(done.Credential.Secret))
		diedOf(t, err, connector.DeadBlocked)
	})
	t.Run("a token of another server's is nobody's", func(t *testing.T) {
		server := atprototest.Start(t, atprototest.Options{})
		server.Create(ada)
		secret := link(t, server).Credential.Secret
		spoiled := bytes.Replace(secret, []byte(`"access":"ey`), []byte(`"access":"xx`), 1)
		_, err := skilled(server).Check(t.Context(), access(spoiled))
		diedOf(t, err, connector.DeadSession)
	})
}

func TestWhatIsNotDeadStaysAlive(t *testing.T) {
	now := time.Now()
	server := atprototest.Start(t, atprototest.Options{Now: func() time.Time { return now }})
	server.Create(ada)
	secret := link(t, server).Credential.Secret
	c := skilled(server)
	alive := func(t *testing.T, err error) {
		t.Helper()
		if err == nil || errors.Is(err, connector.ErrDead) {
			t.Errorf("got %v, want an error that leaves the connection alive", err)
		}
	}
	t.Run("when the PDS speaks of somebody else", func(t *testing.T) {
		server.Claim("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
		defer server.Claim("")
		_, err := c.Check(t.Context(), access(secret))
		alive(t, err)
		_, err = c.Refresh(t.Context(), access(secret))
		alive(t, err)
	})
	t.Run("when the access token has merely expired", func(t *testing.T) {
		now = now.Add(3 * time.Hour)
		_, err := c.Check(t.Context(), access(secret))
		alive(t, err)
	})
	t.Run("when the PDS is down", func(t *testing.T) {
		server.Down(true)
		defer server.Down(false)
		_, err := c.Check(t.Context(), access(secret))
		alive(t, err)
		_, err = c.Refresh(t.Context(), access(secret))
		alive(t, err)
		alive(t, c.Revoke(t.Context(), access(secret)))
	})
}

func TestAPersonKeepsTheirIDUnderAnotherHandle(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	did := server.Create(ada)
	secret := link(t, server).Credential.Secret
	server.Rename(did, "countess.test")
	c := skilled(server)
	profile, err := c.Check(t.Context(), access(secret))
	if err != nil || profile.User.ID != did || profile.User.Username != "countess.test" {
		t.Fatalf("profile %+v, %v", profile.User, err)
	}
	t.Run("one that does not lead back is not believed", func(t *testing.T) {
		server.SetRecords("_atproto.countess.test")
		profile, err := c.Check(t.Context(), access(secret))
		if err != nil || profile.User.Username != handle {
			t.Errorf("profile %+v, %v", profile.User, err)
		}
	})
	t.Run("a refresh remembers it", func(t *testing.T) {
		server.SetRecords("_atproto.countess.test", "did="+did)
		fresh, err := c.Refresh(t.Context(), access(secret))
		if err != nil || !bytes.Contains(fresh.Secret, []byte("countess.test")) {
			t.Errorf("refresh: %v", err)
		}
	})
}

func TestARevokedSessionIsDeleted(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	did := server.Create(ada)
	secret := link(t, server).Credential.Secret
	if err := skilled(server).Revoke(t.Context(), access(secret)); err != nil || server.Live(did) != 0 {
		t.Errorf("revoke: %v, %d live", err, server.Live(did))
	}
}

func TestThroughTheProxyOnlyMethodsOfThePDSAreCalled(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	server.Create(ada)
	secret := link(t, server).Credential.Secret
	c := skilled(server)
	base, err := c.Base(secret)
	if err != nil || base.String() != server.URL+"/xrpc" {
		t.Fatalf("base %v, %v", base, err)
	}
	for path, good := range map[string]bool{
		"/xrpc/app.bsky.feed.getTimeline":             true,
		"/xrpc/com.atproto.repo.createRecord":         true,
		"/xrpc/com.atproto.server.getSession":         true,
		"/xrpc/com.atproto.server.createAppPassword":  false,
		"/xrpc/com.atproto.server.createAppPassword/": false,
		"/xrpc/com.atproto.Server.CREATEAPPPASSWORD":  false,
		"/xrpc/com.atproto.server.getServiceAuth":     false,
		"/xrpc/com.atproto.server.deleteSession":      false,
		"/xrpc/com.atproto.identity.signPlcOperation": false,
		"/xrpc/com.atproto.admin.deleteAccount":       false,
		"/xrpc//com.atproto.server.createAppPassword": false,
		"/oauth/token": false,
		"/xrpc/%63om.atproto.server.createAppPassword":  false,
		"/xrpc/" + strings.Repeat("a", 400):             false,
		"/xrpc/com.atproto.server.createAppPassword%20": false,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Authorize(request, bytes.Clone(secret))
		if (err == nil) != good || (request.Header.Get("Authorization") != "") != good {
			t.Errorf("%s: %v", path, err)
		}
	}
	t.Run("no other server gets the token", func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://evil.example.com/xrpc/app.bsky.feed.getTimeline", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Authorize(request, bytes.Clone(secret)); err == nil || latchkey.CodeOf(err) != latchkey.Internal {
			t.Errorf("got %v", err)
		}
	})
}
