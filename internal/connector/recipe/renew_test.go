package recipe_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/recipe"
)

// sessionSite logs in with one of its passwords, and renews as it is told.
type sessionSite struct {
	password string
	logins   int
	answer   func(http.ResponseWriter) // to a login; nil: 204
	renewal  func(http.ResponseWriter) // nil: 204
	renewals int
}

func (s *sessionSite) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		s.logins++
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s1", Path: "/", MaxAge: 3600})
		switch {
		case s.answer != nil:
			s.answer(w)
		case r.FormValue("p") != s.password:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			answerJSON(w, http.StatusOK, `{"token":"first-token"}`)
		}
	})
	mux.HandleFunc("POST /renew", func(w http.ResponseWriter, r *http.Request) {
		s.renewals++
		if s.renewal != nil {
			s.renewal(w)
			return
		}
		if r.Header.Get("X-Token") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answerJSON(w, http.StatusOK, `{"token":"second-token"}`)
	})
	return mux
}

// sessionSteps log in for a session; keep_password is put in by keeping.
const sessionSteps = `
  - name: enter
    requests:
      - {method: POST, path: /login, form: {p: "{{field.password}}"}, save: {token: {json: $.token}}}
    when:
      - {if: {status: 200}, then: done}
      - {if: {status: 401}, then: {refused: invalid_credentials}}
      - {if: {status: 423}, then: locked}
      - {if: {status: 409}, then: {2fa: code}}
  - name: code
    requests: [{method: POST, path: /code, form: {c: "{{field.code}}"}}]
    when: [{then: done}]
prompts: [{name: code, option: app, fields: [{name: code, type: code, label: Code}], next: code}]
proxy: {path: /, headers: {x-token: "{{saved.token}}"}}
`

const renewal = `
renew:
  requests: [{method: POST, path: /renew, headers: {x-token: "{{saved.token}}"}, save: {token: {json: $.token}}}]
`

// keeping is the recipe with an offer to leave the password here.
func keeping(t *testing.T, s *sessionSite, more string) *recipe.Connector {
	t.Helper()
	offer := strings.Replace(textOf(sessionSteps+more), "  next: enter\n", "  next: enter\n  keep_password: true\n", 1)
	return parsed(t, serve(t, s.mux()), offer)
}

// stay logs in and ticks the box, or not.
func stay(t *testing.T, c *recipe.Connector, tick string) connector.Done {
	t.Helper()
	fields := map[string]string{"username": "ada", "password": "good-password"}
	if tick != "" {
		fields["stay_connected"] = tick
	}
	done, ok := submit(t, c, submit(t, c, nil, nil), fields).(connector.Done)
	if !ok {
		t.Fatal("the login does not end")
	}
	return done
}

// refresh renews at a time after now.
func refresh(t *testing.T, c *recipe.Connector, credential []byte, after time.Duration) (connector.Credential, error) {
	t.Helper()
	return c.Refresh(t.Context(), connector.Access{
		Credential: bytes.Clone(credential), HTTP: wayOut, Now: time.Now().Add(after),
	})
}

// near reports whether a time is that far away, within a few seconds.
func near(at time.Time, after time.Duration) bool {
	return time.Until(at.Add(-after)).Abs() < 5*time.Second
}

func TestHowLongASessionLasts(t *testing.T) {
	for name, c := range map[string]struct {
		session string
		want    time.Duration // 0: unknown
	}{
		"nobody knows":                     {"", 0},
		"as long as its cookie":            {"session: {cookie: sid}\n", time.Hour},
		"as long as the recipe says":       {"session: {lifetime: 15m}\n", 15 * time.Minute},
		"until the first of the two":       {"session: {cookie: sid, lifetime: 30d}\n", time.Hour},
		"until the first of the two again": {"session: {cookie: sid, lifetime: 90s}\n", 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sessionSite{password: "good-password"}
			done := mustLogin(t, site(t, s.mux(), sessionSteps+c.session))
			if !done.Credential.ExpiresAt.IsZero() {
				t.Error("it is to be renewed, and nothing can")
			}
			if at := done.Credential.EndsAt; at.IsZero() != (c.want == 0) || (c.want != 0 && !near(at, c.want)) {
				t.Errorf("it lasts until %s", at)
			}
		})
	}
}

func TestASessionIsRenewed(t *testing.T) {
	s := &sessionSite{password: "good-password"}
	c := site(t, s.mux(), sessionSteps+renewal+"session: {lifetime: 1h}\n")
	credential := mustLogin(t, c).Credential

	t.Run("as often as is asked, with what the renewal before has brought", func(t *testing.T) {
		for n := 1; n <= 2; n++ {
			fresh, err := refresh(t, c, credential.Secret, time.Duration(n)*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if !near(fresh.ExpiresAt, time.Duration(n+1)*time.Hour) || s.renewals != n {
				t.Errorf("renewal %d: %d requests, until %s", n, s.renewals, fresh.ExpiresAt)
			}
			credential = fresh
		}
		if !strings.Contains(string(credential.Secret), "second-token") {
			t.Error("the new token is not kept")
		}
	})
	for name, answer := range map[string]struct {
		status int
		dead   bool
	}{"what says that it is over ends it": {401, true}, "a fault does not": {500, false}} {
		t.Run(name, func(t *testing.T) {
			s.renewal = func(w http.ResponseWriter) { w.WriteHeader(answer.status) }
			if _, err := refresh(t, c, credential.Secret, 0); err == nil || errors.Is(err, connector.ErrDead) != answer.dead {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("a value that is lost ends it", func(t *testing.T) {
		if _, err := refresh(t, c, []byte(`{"recipe":"acme"}`), 0); !errors.Is(err, connector.ErrDead) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("what is no credential is an error, and nobody is dead", func(t *testing.T) {
		if _, err := refresh(t, c, []byte("damaged"), 0); err == nil || errors.Is(err, connector.ErrDead) {
			t.Errorf("error %v", err)
		}
	})
}

func TestASessionThatNothingRenewsLastsItsTime(t *testing.T) {
	s := &sessionSite{password: "good-password"}
	c := site(t, s.mux(), sessionSteps+"session: {cookie: sid}\n")
	credential := mustLogin(t, c).Credential
	again, err := refresh(t, c, credential.Secret, 59*time.Minute)
	if err != nil || !again.EndsAt.Equal(credential.EndsAt) || !bytes.Equal(again.Secret, credential.Secret) {
		t.Errorf("before its end: %v, until %s", err, again.EndsAt)
	}
	if _, err := refresh(t, c, credential.Secret, time.Hour); !errors.Is(err, connector.ErrDead) {
		t.Errorf("after its end: %v", err)
	}
}

func TestThePasswordIsDiscardedUnlessThePersonLeavesIt(t *testing.T) {
	s := &sessionSite{password: "good-password"}
	c := keeping(t, s, renewal+"session: {lifetime: 1h}\n")
	asked := wantPrompt(t, submit(t, c, nil, nil), latchkey.StateLogin, "")
	box := asked.Prompt.Fields[len(asked.Prompt.Fields)-1]
	if box.Type != latchkey.FieldCheckbox || box.Name != "stay_connected" || box.Required {
		t.Fatalf("the offer is %+v", box)
	}
	s.renewal = func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) }
	for tick, kept := range map[string]bool{"": false, "false": false, "on": false, "true": true} {
		done := stay(t, c, tick)
		holds := bytes.Contains(done.Credential.Secret, []byte("kept")) || connectorHolds(done.Credential.Secret, "good-password")
		if holds != kept {
			t.Errorf("box %q: the password is kept: %t", tick, holds)
		}
		before := s.logins
		fresh, err := refresh(t, c, done.Credential.Secret, time.Hour)
		if kept && (err != nil || s.logins != before+1 || !near(fresh.ExpiresAt, 2*time.Hour)) {
			t.Errorf("box %q: error %v, %d logins, until %s", tick, err, s.logins-before, fresh.ExpiresAt)
		}
		if !kept && (!errors.Is(err, connector.ErrDead) || s.logins != before) {
			t.Errorf("box %q: error %v, %d logins", tick, err, s.logins-before)
		}
	}
	t.Run("and is never exported", func(t *testing.T) {
		exported, err := c.Export(stay(t, c, "true").Credential.Secret)
		if err != nil || connectorHolds(exported, "good-password") {
			t.Errorf("exported: %v", err)
		}
	})
	t.Run("and outlives what the site sets", func(t *testing.T) {
		credential := stay(t, c, "true").Credential.Secret
		changed, ok := c.Keep(credential, &http.Response{Header: http.Header{"Set-Cookie": {"sid=s2; Path=/"}}})
		if !ok || !connectorHolds(changed, "good-password") {
			t.Error("the password is gone")
		}
	})
}

// connectorHolds reports whether bytes hold a secret as JSON writes bytes.
func connectorHolds(text []byte, secret string) bool {
	return bytes.Contains(text, []byte(secret)) || bytes.Contains(text, []byte("Z29vZC1wYXNzd29yZA"))
}

func TestALoginWithAKeptPasswordThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		reason string // why it is dead; "" when it is not
	}{
		"the password has changed": {nil, connector.DeadPassword},
		"the account is locked":    {func(w http.ResponseWriter) { w.WriteHeader(http.StatusLocked) }, connector.DeadBlocked},
		"a code is asked for":      {func(w http.ResponseWriter) { w.WriteHeader(http.StatusConflict) }, connector.DeadSession},
		"the site is down":         {func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, ""},
		"the site asks for pause":  {func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sessionSite{password: "good-password"}
			connected := keeping(t, s, "session: {lifetime: 1h}\n")
			credential := stay(t, connected, "true").Credential.Secret
			s.password, s.answer = "another-password", c.answer
			_, err := refresh(t, connected, credential, time.Hour)
			if err == nil || errors.Is(err, connector.ErrDead) != (c.reason != "") {
				t.Fatalf("error %v", err)
			}
			if c.reason != "" && connector.ReasonOf(err) != c.reason {
				t.Errorf("dead because %s, want %s", connector.ReasonOf(err), c.reason)
			}
			if strings.Contains(err.Error(), "good-password") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestACancelledRenewalIsNotADeadAccount(t *testing.T) {
	s := &sessionSite{password: "good-password"}
	c := keeping(t, s, renewal+"session: {lifetime: 1h}\n")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Refresh(over, connector.Access{Credential: stay(t, c, "true").Credential.Secret, HTTP: wayOut, Now: time.Now()})
	if err == nil || errors.Is(err, connector.ErrDead) {
		t.Errorf("error %v", err)
	}
}
