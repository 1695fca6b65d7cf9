package matrix_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest/matrixtest"
)

func TestAPersonIsLinkedByPassword(t *testing.T) {
	server := matrixtest.Start(t, matrixtest.Options{Versions: []string{"v1.1", "v1.10"}})
	id := server.Create(ada)
	v := visit(t)
	step, err := v.submit("username", " "+strings.TrimPrefix(id, "@")+"\u200e")
	asked(t, step, err, "password", "")
	step, err = v.submit("password", "wrong")
	asked(t, step, err, "password", latchkey.FailureInvalidCredentials)
	step, err = v.submit("password", password)
	done := linked(t, step, err)
	want := latchkey.UserData{
		ID: id, Username: id, Name: "Ada Lovelace", Avatar: server.URL + "/_matrix/media/v3/download/example.org/abc123",
	}
	if done.User != want {
		t.Errorf("linked %+v, want %+v", done.User, want)
	}
	if life := time.Until(done.Credential.ExpiresAt); life < 4*time.Minute || life > 5*time.Minute {
		t.Errorf("the credential lives %s", life)
	}
	devices := server.Devices(id)
	for device, name := range devices {
		if !strings.HasPrefix(device, "LATCHKEY") || !strings.HasPrefix(name, "Latchkey") {
			t.Errorf("a device %s called %s", device, name)
		}
	}
	t.Run("trying again makes no second device, another session does", func(t *testing.T) {
		step, err := v.submit("password", password)
		linked(t, step, err)
		if len(server.Devices(id)) != 1 {
			t.Errorf("devices %v", server.Devices(id))
		}
		v.session = "ls_2"
		step, err = v.submit("password", password)
		linked(t, step, err)
		if len(server.Devices(id)) != 2 {
			t.Errorf("devices %v", server.Devices(id))
		}
	})
}

func TestAPictureThatNoBrowserMayFetchIsNotShown(t *testing.T) {
	server := matrixtest.Start(t, matrixtest.Options{})
	if done := link(t, server.Create(ada)); done.User.Avatar != "" {
		t.Errorf("the picture %s needs a token", done.User.Avatar)
	}
}

func TestTheHomeserversOwnPageComesFirst(t *testing.T) {
	for name, flows := range map[string][]string{"where it is the only way": ssoOnly, "and before a password": both} {
		t.Run(name, func(t *testing.T) {
			server := matrixtest.Start(t, matrixtest.Options{Flows: flows})
			id := server.Create(ada)
			v := visit(t)
			query := v.sso(server, id, "ada")
			if query.Get("state") != redirectState {
				t.Errorf("the state came back as %q", query.Get("state"))
			}
			step, err := v.comeBack(query)
			if done := linked(t, step, err); done.User.ID != id {
				t.Errorf("linked %+v", done.User)
			}
		})
	}
	t.Run("without a way back it is the password", func(t *testing.T) {
		server := matrixtest.Start(t, matrixtest.Options{Flows: both})
		v := visit(t)
		v.callback = ""
		step, err := v.submit("username", server.Create(ada))
		asked(t, step, err, "password", "")
	})
	t.Run("without any way known to us it ends", func(t *testing.T) {
		server := matrixtest.Start(t, matrixtest.Options{Flows: []string{"m.login.application_service"}})
		_, err := visit(t).submit("username", server.Create(ada))
		failed(t, err, latchkey.FailureProviderUnavailable)
	})
}

func TestAnAnswerIsTakenOnlyWithItsStateAndOnce(t *testing.T) {
	for name, change := range map[string]func(url.Values){
		"another state":    func(q url.Values) { q.Set("state", "x") },
		"no state":         func(q url.Values) { q.Del("state") },
		"two states":       func(q url.Values) { q.Add("state", redirectState) },
		"no token":         func(q url.Values) { q.Del("loginToken") },
		"two tokens":       func(q url.Values) { q.Add("loginToken", "x") },
		"a token of books": func(q url.Values) { q.Set("loginToken", strings.Repeat("x", 4097)) },
	} {
		t.Run(name, func(t *testing.T) {
			server := matrixtest.Start(t, matrixtest.Options{Flows: ssoOnly})
			v := visit(t)
			query := v.sso(server, server.Create(ada), "ada")
			change(query)
			_, err := v.comeBack(query)
			failed(t, err, latchkey.FailureAccessDenied)
			if server.Calls("POST /v3/login") != 0 {
				t.Error("the token was used")
			}
		})
	}
	t.Run("a token that was used", func(t *testing.T) {
		server := matrixtest.Start(t, matrixtest.Options{Flows: ssoOnly})
		v := visit(t)
		query := v.sso(server, server.Create(ada), "ada")
		step, err := v.comeBack(query)
		linked(t, step, err)
		step, err = v.comeBack(query)
		asked(t, step, err, "username", latchkey.FailureInvalidCredentials)
	})
}

func TestAHomeserverSpeaksForItsOwnUsersOnly(t *testing.T) {
	t.Run("by password for the one who was named", func(t *testing.T) {
		server := matrixtest.Start(t, matrixtest.Options{})
		id := server.Create(ada)
		for _, other := range []string{"@eve:" + server.Name, "@ada:matrix.org", "nonsense"} {
			server.Claim(other)
			v := visit(t)
			_, _ = v.submit("username", id)
			if step, err := v.submit("password", password); err == nil {
				t.Errorf("%s was linked: %T", other, step)
			}
		}
		if len(server.Devices(id)) != 0 {
			t.Error("a session was left behind")
		}
	})
	t.Run("on its page for any of its own", func(t *testing.T) {
		server := matrixtest.Start(t, matrixtest.Options{Flows: ssoOnly})
		named := server.Create(ada)
		came := server.Create(matrixtest.User{Localpart: "eve", Password: password})
		v := visit(t)
		step, err := v.comeBack(v.sso(server, named, "eve"))
		if done := linked(t, step, err); done.User.ID != came || done.User.Name != "eve" {
			t.Errorf("linked %+v", done.User)
		}
		server.Claim("@ada:matrix.org")
		v = visit(t)
		if step, err := v.comeBack(v.sso(server, named, "eve")); err == nil {
			t.Errorf("another homeserver's user was linked: %T", step)
		}
	})
}

func TestWhatAHomeserverRefuses(t *testing.T) {
	t.Run("a deactivated account ends the login", func(t *testing.T) {
		server := matrixtest.Start(t, matrixtest.Options{})
		id := server.Create(ada)
		server.Deactivate(id)
		v := visit(t)
		_, _ = v.submit("username", id)
		_, err := v.submit("password", password)
		failed(t, err, latchkey.FailureAccountLocked)
	})
	t.Run("a rate limit ends nothing", func(t *testing.T) {
		server := matrixtest.Start(t, matrixtest.Options{})
		v := visit(t)
		_, _ = v.submit("username", server.Create(ada))
		for range 5 {
			step, err := v.submit("password", "wrong")
			asked(t, step, err, "password", latchkey.FailureInvalidCredentials)
		}
		_, err := v.submit("password", password)
		if _, over := errors.AsType[*connector.Failure](err); err == nil || over {
			t.Errorf("got %v, want an error that is no failure", err)
		}
	})
	t.Run("what can't be a password is not sent", func(t *testing.T) {
		server := matrixtest.Start(t, matrixtest.Options{})
		v := visit(t)
		_, _ = v.submit("username", server.Create(ada))
		for _, text := range []string{"", "\xff\xfe", strings.Repeat("x", 4097)} {
			step, err := v.submit("password", text)
			asked(t, step, err, "password", latchkey.FailureInvalidCredentials)
		}
		if server.Calls("POST /v3/login") != 0 {
			t.Error("it was")
		}
	})
}

func TestAStateThatIsNotOursIsRefused(t *testing.T) {
	for _, text := range []string{
		"{}", "nonsense", `{"stage":"password"}`, `{"stage":"password","user":"@a:127.0.0.1","homeserver":"http://example.org"}`,
		`{"stage":"other","user":"@a:127.0.0.1","homeserver":"http://127.0.0.1"}`, `{"stage":"` + strings.Repeat("x", 5<<10) + `"}`,
	} {
		v := visit(t)
		v.state = []byte(text)
		if step, err := v.submit("password", password); err == nil {
			t.Errorf("%.40s led to %T", text, step)
		}
	}
	t.Run("an action that belongs elsewhere asks again", func(t *testing.T) {
		server := matrixtest.Start(t, matrixtest.Options{})
		v := visit(t)
		_, _ = v.submit("username", server.Create(ada))
		step, err := v.comeBack(url.Values{"state": {redirectState}, "loginToken": {"x"}})
		asked(t, step, err, "password", "")
		step, err = v.do(connector.Input{Action: latchkey.ActionBack})
		asked(t, step, err, "username", "")
	})
}
