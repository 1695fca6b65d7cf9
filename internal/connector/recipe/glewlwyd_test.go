package recipe_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/connectortest"
	"latchkey/internal/connector/recipe"
	"latchkey/internal/latchtest/glewlwydtest"
)

// hardPassword has everything that could break out of a JSON string, a form or
// a template.
const hardPassword = "pä\"ss\\' {{field.username}} {{saved.username}}\n&=%41+\u2028🗝\","

// glewlwyd returns the example recipe for a server.
func glewlwyd(t *testing.T, baseURL string, now func() time.Time) *recipe.Connector {
	t.Helper()
	const file = "../../../docs/examples/glewlwyd.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := recipe.Parse("glewlwyd.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := recipe.New(parsed, recipe.Options{BaseURL: baseURL, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// linked logs in at a real server and returns the end of the login.
func linked(t *testing.T, c *recipe.Connector, username, password, secret string) connector.Done {
	t.Helper()
	step := submit(t, c, nil, nil)
	step = submit(t, c, step, map[string]string{"username": username, "password": password})
	if secret != "" {
		step = submit(t, c, step, map[string]string{"code": glewlwydtest.Code(t, secret)})
	}
	done, ok := step.(connector.Done)
	if !ok {
		t.Fatalf("the login ends at %+v", step)
	}
	return done
}

func TestGlewlwydKeepsTheContract(t *testing.T) {
	server := glewlwydtest.Start(t)
	server.CreateUser(t, glewlwydtest.User{Username: "ada", Password: hardPassword, Name: "Ada Lovelace", Email: "ada@example.org"})
	login := func(password string) connectortest.Submission {
		return connectortest.Submission{Fields: map[string]string{"username": "ada", "password": password}}
	}
	connectortest.Run(t, connectortest.Case{
		New:  func(now func() time.Time) connector.Connector { return glewlwyd(t, server.URL, now) },
		HTTP: wayOut,
		Walk: []connectortest.Submission{login(hardPassword)},
		Wrong: []connectortest.Wrong{
			{Name: "a wrong password is refused", Submission: login("not-the-password"), Code: latchkey.FailureInvalidCredentials},
			{Name: "an empty password is refused", Submission: login(""), Code: latchkey.FailureInvalidCredentials},
		},
	})
}

func TestGlewlwydWithASecondFactor(t *testing.T) {
	server := glewlwydtest.Start(t)
	server.RequireOTP(t)
	server.CreateUser(t, glewlwydtest.User{Username: "bob", Password: hardPassword, Name: "Bob", Email: "bob@example.org"})
	server.CreateUser(t, glewlwydtest.User{Username: "eve", Password: "good-password", Name: "Eve", Email: "eve@example.org"})
	secret := server.RegisterTOTP(t, "bob")
	c := glewlwyd(t, server.URL, nil)

	t.Run("a code is asked for after the password, and a wrong one may be tried again", func(t *testing.T) {
		step := submit(t, c, submit(t, c, nil, nil), map[string]string{"username": "bob", "password": hardPassword})
		asked := wantPrompt(t, step, latchkey.StateTwoFactor, "")
		if diff := cmp.Diff([]string{"app"}, asked.Prompt.TwoFactor.Options); diff != "" {
			t.Errorf("options: %s", diff)
		}
		if strings.Contains(string(asked.State), "field.username") {
			t.Error("the state holds the password")
		}
		step = submit(t, c, step, map[string]string{"code": glewlwydtest.WrongCode(t, secret)})
		wantPrompt(t, step, latchkey.StateTwoFactor, latchkey.FailureTwoFactor)
		step = submit(t, c, step, map[string]string{"code": glewlwydtest.Code(t, secret)})
		done, ok := step.(connector.Done)
		if !ok {
			t.Fatalf("want Done, have %+v", step)
		}
		if diff := cmp.Diff(latchkey.UserData{ID: "bob", Name: "Bob", Username: "bob"}, done.User); diff != "" {
			t.Error(diff)
		}
		if got := proxied(t, c, done.Credential.Secret, "profile/session/"); got != http.StatusOK {
			t.Errorf("what wants the second factor answers %d to the linked account", got)
		}
	})
	t.Run("who has registered no second factor is linked by the password alone", func(t *testing.T) {
		done := linked(t, c, "eve", "good-password", "")
		got := []int{
			proxied(t, c, done.Credential.Secret, "profile_list/"),
			proxied(t, c, done.Credential.Secret, "profile/session/"),
		}
		if diff := cmp.Diff([]int{http.StatusOK, http.StatusUnauthorized}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestGlewlwydWithACodeByEmail(t *testing.T) {
	server, box := glewlwydtest.Start(t), glewlwydtest.NewMailbox(t)
	server.RequireEmail(t, box)
	server.CreateUser(t, glewlwydtest.User{Username: "ada", Password: "good-password", Name: "Ada", Email: "ada@example.org"})
	c := glewlwyd(t, server.URL, nil)
	begin := func(username string) connector.Step {
		return submit(t, c, submit(t, c, nil, nil), map[string]string{"username": username, "password": "good-password"})
	}
	wants := func(step connector.Step) { // what the profile API refuses without the second factor
		t.Helper()
		done, ok := step.(connector.Done)
		if !ok {
			t.Fatalf("want Done, have %+v", step)
		}
		if got := proxied(t, c, done.Credential.Secret, "profile/session/"); got != http.StatusOK {
			t.Errorf("what wants the second factor answers %d", got)
		}
		if left := time.Until(done.Credential.EndsAt); left < 27*24*time.Hour || left > 28*24*time.Hour {
			t.Errorf("the session of four weeks ends in %s", left)
		}
	}
	t.Run("a code is sent, again if it is asked for, and the last one is right", func(t *testing.T) {
		step := begin("ada")
		asked := wantPrompt(t, step, latchkey.StateTwoFactor, "")
		if diff := cmp.Diff([]string{"email"}, asked.Prompt.TwoFactor.Options); diff != "" || !asked.Prompt.CanResend {
			t.Errorf("options: %s, resend %t", diff, asked.Prompt.CanResend)
		}
		box.Code(t, "ada@example.org", 0)
		step = submit(t, c, step, map[string]string{"code": "00000x"})
		wantPrompt(t, step, latchkey.StateTwoFactor, latchkey.FailureTwoFactor)
		step, err := advance(t, c, step, connector.Input{Action: latchkey.ActionResend})
		if err != nil {
			t.Fatal(err)
		}
		wants(submit(t, c, step, map[string]string{"code": box.Code(t, "ada@example.org", 1)}))
	})
	t.Run("who has two second factors chooses", func(t *testing.T) {
		server.RequireOTP(t)
		server.CreateUser(t, glewlwydtest.User{Username: "bob", Password: "good-password", Name: "Bob", Email: "bob@example.org"})
		secret := server.RegisterTOTP(t, "bob")
		for _, method := range []string{"app", "email"} {
			step := begin("bob")
			asked := wantPrompt(t, step, latchkey.StateTwoFactor, "")
			if diff := cmp.Diff([]string{"app", "email"}, asked.Prompt.Methods); diff != "" {
				t.Fatal(diff)
			}
			step, err := advance(t, c, step, connector.Input{Action: latchkey.ActionContinue, Method: method})
			if err != nil {
				t.Fatal(err)
			}
			code := glewlwydtest.Code(t, secret)
			if method == "email" {
				code = box.Code(t, "bob@example.org", 0)
			}
			wants(submit(t, c, step, map[string]string{"code": code}))
		}
	})
}

func TestGlewlwydLinkedAccount(t *testing.T) {
	server := glewlwydtest.Start(t)
	server.CreateUser(t, glewlwydtest.User{Username: "ada", Password: "good-password", Name: "Ada Lovelace", Email: "ada@example.org"})
	c := glewlwyd(t, server.URL, nil)
	done := linked(t, c, "ada", "good-password", "")
	access := connector.Access{Credential: done.Credential.Secret, HTTP: wayOut, Now: time.Now()}

	t.Run("a proxied request is authorised", func(t *testing.T) {
		for _, path := range []string{"profile_list/", "profile/session/"} {
			if got := proxied(t, c, done.Credential.Secret, path); got != http.StatusOK {
				t.Errorf("%s answers %d", path, got)
			}
		}
		if got := proxied(t, c, nil, "profile_list/"); got != http.StatusUnauthorized {
			t.Errorf("without the credential it answers %d", got)
		}
	})
	t.Run("a check tells who it is", func(t *testing.T) {
		profile, err := c.Check(t.Context(), access)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(done.User, profile.User); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(string(profile.Raw), "ada@example.org") {
			t.Errorf("the raw profile is %s", profile.Raw)
		}
	})
	t.Run("a cancelled check is not a dead account", func(t *testing.T) {
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Check(over, access); err == nil || errors.Is(err, connector.ErrDead) {
			t.Errorf("a cancelled check says %v", err)
		}
	})
	t.Run("after a logout, which may be repeated, a check says dead", func(t *testing.T) {
		for range 2 {
			if err := c.Revoke(t.Context(), access); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Check(t.Context(), access); !errors.Is(err, connector.ErrDead) {
			t.Errorf("a check says %v, want dead", err)
		}
		if got := proxied(t, c, done.Credential.Secret, "profile_list/"); got != http.StatusUnauthorized {
			t.Errorf("a proxied request answers %d", got)
		}
	})
}

// proxied sends a request below the proxy's base, authorised unless the
// credential is nil, and returns the status.
func proxied(t *testing.T, c *recipe.Connector, credential []byte, path string) int {
	t.Helper()
	base, err := c.Base(credential)
	if err != nil {
		t.Fatal(err)
	}
	out, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base.String()+"api/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if credential != nil {
		if err := c.Authorize(out, credential); err != nil {
			t.Fatal(err)
		}
	}
	response, err := http.DefaultClient.Do(out)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}
