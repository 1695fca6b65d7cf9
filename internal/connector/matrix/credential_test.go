package matrix_test

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/matrix"
	"latchkey/internal/latchtest/matrixtest"
)

// skills are those of the connector.
var skills = matrix.New(matrix.Config{Loopback: true})

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

// alive demands an error that leaves the connection alive.
func alive(t *testing.T, err error) {
	t.Helper()
	if err == nil || errors.Is(err, connector.ErrDead) {
		t.Errorf("got %v, want an error that leaves the connection alive", err)
	}
}

func TestTokensAreRotated(t *testing.T) {
	server := matrixtest.Start(t, matrixtest.Options{})
	id := server.Create(ada)
	done := link(t, id)
	device := server.Devices(id)
	first, err := skills.Refresh(t.Context(), access(done.Credential.Secret))
	if err != nil || bytes.Equal(first.Secret, done.Credential.Secret) || first.ExpiresAt.IsZero() {
		t.Fatalf("first refresh: %v", err)
	}
	t.Run("a lost answer can be asked for again", func(t *testing.T) {
		if first, err = skills.Refresh(t.Context(), access(done.Credential.Secret)); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := skills.Check(t.Context(), access(first.Secret)); err != nil {
		t.Fatalf("check: %v", err)
	}
	t.Run("once the new one was used, the old one is refused", func(t *testing.T) {
		_, err := skills.Refresh(t.Context(), access(done.Credential.Secret))
		diedOf(t, err, connector.DeadRevoked)
	})
	if _, err := skills.Refresh(t.Context(), access(first.Secret)); err != nil {
		t.Errorf("second refresh: %v", err)
	}
	for name := range server.Devices(id) {
		if _, same := device[name]; !same {
			t.Errorf("the device became %s", name)
		}
	}
}

func TestAHomeserverWithoutRefreshTokensIsNotAskedForThem(t *testing.T) {
	server := matrixtest.Start(t, matrixtest.Options{Life: -1})
	done := link(t, server.Create(ada))
	if !done.Credential.ExpiresAt.IsZero() {
		t.Errorf("it ends at %s", done.Credential.ExpiresAt)
	}
	_, err := skills.Refresh(t.Context(), access(done.Credential.Secret))
	diedOf(t, err, connector.DeadSession)
	if server.Calls("POST /v3/refresh") != 0 {
		t.Error("it was asked")
	}
}

func TestWhyASessionIsDead(t *testing.T) {
	server := matrixtest.Start(t, matrixtest.Options{})
	id := server.Create(ada)
	t.Run("the person has logged the device out", func(t *testing.T) {
		secret := link(t, id).Credential.Secret
		server.LogOut(id)
		_, err := skills.Check(t.Context(), access(secret))
		diedOf(t, err, connector.DeadRevoked)
		_, err = skills.Refresh(t.Context(), access(secret))
		diedOf(t, err, connector.DeadRevoked)
	})
	t.Run("the account was deactivated", func(t *testing.T) {
		secret := link(t, id).Credential.Secret
		server.Deactivate(id)
		_, err := skills.Check(t.Context(), access(secret))
		diedOf(t, err, connector.DeadRevoked)
	})
	t.Run("its time is over and there is nothing to renew it with", func(t *testing.T) {
		plain := matrixtest.Start(t, matrixtest.Options{Life: -1})
		id := plain.Create(ada)
		secret := link(t, id).Credential.Secret
		plain.ExpireAccess(id)
		_, err := skills.Check(t.Context(), access(secret))
		diedOf(t, err, connector.DeadSession)
	})
}

func TestWhatIsNotDeadStaysAlive(t *testing.T) {
	server := matrixtest.Start(t, matrixtest.Options{})
	id := server.Create(ada)
	secret := link(t, id).Credential.Secret
	t.Run("when the homeserver is down", func(t *testing.T) {
		server.Down(true)
		defer server.Down(false)
		_, err := skills.Check(t.Context(), access(secret))
		alive(t, err)
		_, err = skills.Refresh(t.Context(), access(secret))
		alive(t, err)
		alive(t, skills.Revoke(t.Context(), access(secret)))
	})
	t.Run("when the homeserver speaks of somebody else", func(t *testing.T) {
		server.Claim("@eve:" + server.Name)
		defer server.Claim("")
		_, err := skills.Check(t.Context(), access(secret))
		alive(t, err)
	})
	t.Run("when the access token can be renewed", func(t *testing.T) {
		server.ExpireAccess(id)
		_, err := skills.Check(t.Context(), access(secret))
		alive(t, err)
		fresh, err := skills.Refresh(t.Context(), access(secret))
		if err != nil {
			t.Fatal(err)
		}
		profile, err := skills.Check(t.Context(), access(fresh.Secret))
		if err != nil || profile.User.ID != id {
			t.Errorf("profile %+v, %v", profile.User, err)
		}
	})
}

func TestARevokedDeviceIsGone(t *testing.T) {
	for name, before := range map[string]func(*matrixtest.Server, string){
		"at once":                              func(*matrixtest.Server, string) {},
		"also when the access token had ended": func(s *matrixtest.Server, id string) { s.ExpireAccess(id) },
		"also when it was gone already":        func(s *matrixtest.Server, id string) { s.LogOut(id) },
	} {
		t.Run(name, func(t *testing.T) {
			server := matrixtest.Start(t, matrixtest.Options{})
			id := server.Create(ada)
			secret := link(t, id).Credential.Secret
			before(server, id)
			if err := skills.Revoke(t.Context(), access(secret)); err != nil || len(server.Devices(id)) != 0 {
				t.Errorf("revoke: %v, devices %v", err, server.Devices(id))
			}
		})
	}
}

func TestThroughTheProxyOnlyTheClientServerAPIIsCalled(t *testing.T) {
	server := matrixtest.Start(t, matrixtest.Options{})
	secret := link(t, server.Create(ada)).Credential.Secret
	base, err := skills.Base(secret)
	if err != nil || base.String() != server.URL+"/_matrix/client" {
		t.Fatalf("base %v, %v", base, err)
	}
	const get, post = http.MethodGet, http.MethodPost
	for request, good := range map[[2]string]bool{
		{get, "/_matrix/client/v3/sync"}:                                               true,
		{get, "/_matrix/client/v3/account/whoami"}:                                     true,
		{get, "/_matrix/client/v3/devices"}:                                            true,
		{get, "/_matrix/client/v1/media/download/example.org/abc"}:                     true,
		{post, "/_matrix/client/v3/user/@a:b/filter"}:                                  true,
		{get, "/_matrix/client/versions"}:                                              true,
		{post, "/_matrix/client/v1/login/get_token"}:                                   false,
		{post, "/_matrix/client/unstable/org.matrix.msc3882/login/token"}:              false,
		{post, "/_matrix/client/v3//login/get_token"}:                                  false,
		{post, "/_matrix/client/v3/%6cogin"}:                                           false,
		{post, "/_matrix/client/v3/LOGOUT/all"}:                                        false,
		{post, "/_matrix/client/v3/refresh"}:                                           false,
		{post, "/_matrix/client/v3/account/password"}:                                  false,
		{post, "/_matrix/client/v3/account/deactivate"}:                                false,
		{http.MethodDelete, "/_matrix/client/v3/devices/X"}:                            false,
		{post, "/_matrix/client/v3/delete_devices"}:                                    false,
		{post, "/_matrix/client/v3/user/@a:b/openid/request_token"}:                    false,
		{get, "/_synapse/admin/v1/users"}:                                              false,
		{get, "/_matrix/media/v3/download/example.org/abc"}:                            false,
		{post, "/_matrix/client/v3/account/whoami"}:                                    false,
		{get, "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device"}:      true,
		{get, "/_matrix/client/unstable/org.matrix.msc3814.v1/account/3pid/email/x/y"}: false,
	} {
		out, err := http.NewRequestWithContext(t.Context(), request[0], server.URL+request[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		err = skills.Authorize(out, bytes.Clone(secret))
		if (err == nil) != good || (out.Header.Get("Authorization") != "") != good {
			t.Errorf("%s: %v", request, err)
		}
	}
	t.Run("no other server gets the token", func(t *testing.T) {
		out, err := http.NewRequestWithContext(t.Context(), get, "https://evil.example.com/_matrix/client/v3/sync", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := skills.Authorize(out, bytes.Clone(secret)); err == nil || latchkey.CodeOf(err) != latchkey.Internal {
			t.Errorf("got %v", err)
		}
	})
}
