package atproto_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest/atprototest"
)

func TestACodeIsAskedForAndTaken(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	did := server.Create(ada)
	v := visit(t, server)
	step, err := v.submit("username", handle, "password", password)
	refused(t, step, err, latchkey.StateTwoFactor, "")
	if !bytes.Contains(v.state, []byte(did)) {
		t.Error("the state does not know the account")
	}
	first := server.Code(did)
	step, err = v.do(latchkey.ActionResend, nil)
	refused(t, step, err, latchkey.StateTwoFactor, "")
	if server.Code(did) == first {
		t.Fatal("no other code was sent")
	}
	step, err = v.submit("code", first)
	refused(t, step, err, latchkey.StateTwoFactor, latchkey.FailureTwoFactor)
	step, err = v.submit("code", strings.Repeat("A", 65))
	refused(t, step, err, latchkey.StateTwoFactor, latchkey.FailureTwoFactor)

	typed := strings.ToLower(strings.ReplaceAll(server.Code(did), "-", "")) + " "
	step, err = v.submit("code", typed)
	done := linked(t, step, err)
	want := latchkey.UserData{ID: did, Name: ada.Name, Username: handle, Avatar: ada.Avatar}
	if done.User != want {
		t.Errorf("linked %+v", done.User)
	}
	if life := time.Until(done.Credential.ExpiresAt); life < 119*time.Minute || life > 121*time.Minute {
		t.Errorf("the credential lives %s", life)
	}
	if bytes.Contains(done.Credential.Secret, []byte("Tr0ub4dor")) {
		t.Error("the credential holds the password")
	}
}

func TestAnOldCodeIsRefusedAndMayBeSentAgain(t *testing.T) {
	now := time.Now()
	server := atprototest.Start(t, atprototest.Options{Now: func() time.Time { return now }})
	did := server.Create(ada)
	v := visit(t, server)
	_, _ = v.submit("username", handle, "password", password)
	now = now.Add(16 * time.Minute)
	step, err := v.submit("code", server.Code(did))
	refused(t, step, err, latchkey.StateTwoFactor, latchkey.FailureTwoFactor)
	_, _ = v.do(latchkey.ActionResend, nil)
	step, err = v.submit("code", server.Code(did))
	linked(t, step, err)
}

func TestAPasswordThatChangedBeforeTheCodeIsAskedForAgain(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	did := server.Create(ada)
	v := visit(t, server)
	_, _ = v.submit("username", handle, "password", password)
	server.SetPassword(did, "another one")
	step, err := v.submit("code", server.Code(did))
	refused(t, step, err, latchkey.StateLogin, latchkey.FailureInvalidCredentials)
	if bytes.Contains(v.state, []byte("Tr0ub4dor")) {
		t.Error("the password is still in the state")
	}
}

func TestWhatCanNotBeRightIsRefusedWithoutAskingThePDS(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	server.Create(ada)
	for name, fields := range map[string][2]string{
		"an e-mail address":            {"ada@example.com", password},
		"an empty password":            {handle, ""},
		"a password of a book":         {handle, strings.Repeat("x", 513)},
		"a password that is not UTF-8": {handle, "\xff\xfe"},
		"a handle of a book":           {strings.Repeat("a.", 200) + "com", password},
		"a name of megabytes":          {strings.Repeat("a", 1<<20), password},
		"a reserved domain":            {"ada.localhost", password},
		"a path":                       {"ada.test/../x", password},
		"another method of DIDs":       {"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", password},
		"a did:web with a path":        {"did:web:example.com:user", password},
		"nobody's handle":              {"nobody.test", password},
		"nobody's DID":                 {"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", password},
	} {
		t.Run(name, func(t *testing.T) {
			step, err := visit(t, server).submit("username", fields[0], "password", fields[1])
			refused(t, step, err, latchkey.StateLogin, latchkey.FailureInvalidCredentials)
		})
	}
	if server.Calls("com.atproto.server.createSession") != 0 {
		t.Error("the PDS was asked")
	}
}

func TestAnAccountThatCanNotBeUsedEndsTheLogin(t *testing.T) {
	for _, status := range []string{"takendown", "deactivated"} {
		t.Run(status, func(t *testing.T) {
			server := atprototest.Start(t, atprototest.Options{})
			plain := ada
			plain.SecondFactor = false
			did := server.Create(plain)
			server.SetStatus(did, status)
			_, err := visit(t, server).submit("username", handle, "password", password)
			failed(t, err, latchkey.FailureAccountLocked)
			if server.Live(did) != 0 {
				t.Error("a session was left behind")
			}
		})
	}
}

func TestAPDSThatAnswersForAnotherAccountIsNotBelieved(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	did := server.Create(ada)
	server.Claim(server.Create(atprototest.Account{Handle: "eve.test", Password: "x"}))
	step, err := visit(t, server).submit("username", handle, "password", appPassword)
	if err == nil {
		t.Fatalf("got %T", step)
	}
	if server.Live(did) != 0 {
		t.Error("a session was left behind")
	}
}

func TestARateLimitEndsNothing(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	server.Create(ada)
	v := visit(t, server)
	for range 30 {
		step, err := v.submit("username", handle, "password", "wrong")
		refused(t, step, err, latchkey.StateLogin, latchkey.FailureInvalidCredentials)
	}
	_, err := v.submit("username", handle, "password", appPassword)
	if _, over := errors.AsType[*connector.Failure](err); err == nil || over {
		t.Errorf("got %v, want an error that is no failure", err)
	}
}

func TestAStateThatIsNotOursIsRefused(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	for _, text := range []string{
		"{}", "nonsense", `{"stage":"other"}`, `{"stage":"code","did":"x","pds":"http://127.0.0.1"}`,
		`{"stage":"code","did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa","pds":"http://example.com"}`,
		`{"stage":"login","password":"` + strings.Repeat("x", 17<<10) + `"}`,
	} {
		v := visit(t, server)
		v.state = []byte(text)
		if step, err := v.submit("code", "AAAAA-BBBBB", "username", "x", "password", "y"); err == nil {
			t.Errorf("%.40s led to %T", text, step)
		}
	}
}
