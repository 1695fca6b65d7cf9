package oauth2_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest/hostiletest"
)

// attack is one way to make us link what we must not: the error says how we
// refused.
type attack struct {
	name string
	run  func(t *testing.T) (connector.Step, error)
}

// bent returns the attack of a server in a mode.
func bent(mode hostiletest.Mode) attack {
	return attack{mode.Name, func(t *testing.T) (connector.Step, error) {
		s := hostiletest.Start(t)
		s.Bend(mode)
		l, err := begin(t, provider(t, s.URL))
		if err != nil {
			return nil, err
		}
		step, err := l.callback(l.approve())
		if n := s.Baited.Load(); n > 0 {
			t.Errorf("%d keys were fetched from where a token's header said", n)
		}
		return step, err
	}}
}

// injections are the attacks by which somebody brings a code that is not of
// this login.
func injections() []attack {
	usual := func(t *testing.T, s *hostiletest.Server) *login { return mustBegin(t, provider(t, s.URL)) }
	swap := func(t *testing.T, s *hostiletest.Server, ours, theirs *login) (connector.Step, error) {
		query := ours.approve()
		query.Set("code", theirs.approve().Get("code"))
		return ours.callback(query)
	}
	return []attack{
		{"a code is used a second time", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			first := usual(t, s)
			query := first.approve()
			if _, err := first.callback(query); err != nil {
				t.Error(err)
			}
			return first.callback(query)
		}},
		{"a used code is brought to another session", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			first, second := usual(t, s), usual(t, s)
			query := first.approve()
			if _, err := first.callback(query); err != nil {
				t.Error(err)
			}
			answer := second.approve()
			answer.Set("code", query.Get("code"))
			return second.callback(answer)
		}},
		{"a code is another client's", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			return swap(t, s, usual(t, s), mustBegin(t, provider(t, s.URL, "id="+hostiletest.OtherClient)))
		}},
		{"a code is of another redirect URI", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			l := usual(t, s)
			moved := strings.Replace(l.redirect, url.QueryEscape(callbackURL), url.QueryEscape(callbackURL+"/other"), 1)
			if moved == l.redirect {
				t.Fatal("the redirect has no redirect_uri")
			}
			l.redirect = moved
			return l.callback(l.approve())
		}},
		{"a code has expired", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			l := usual(t, s)
			query := l.approve()
			s.Age(10 * time.Minute)
			return l.callback(query)
		}},
		{"a code is of another session's challenge", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			return swap(t, s, usual(t, s), usual(t, s))
		}},
		{"a careless server takes another session's code", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			s.Bend(hostiletest.Mode{Careless: true})
			return swap(t, s, usual(t, s), usual(t, s))
		}},
		{"a careless server takes another client's code", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			s.Bend(hostiletest.Mode{Careless: true})
			return swap(t, s, usual(t, s), mustBegin(t, provider(t, s.URL, "id="+hostiletest.OtherClient)))
		}},
		{"the verifier is another session's", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			ours, theirs := usual(t, s), usual(t, s)
			query := ours.approve()
			ours.flow.State = theirs.flow.State
			return ours.callback(query)
		}},
		{"the answer is another session's", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			ours, theirs := usual(t, s), usual(t, s)
			return ours.callback(theirs.approve())
		}},
		{"the answer is another provider's", func(t *testing.T) (connector.Step, error) {
			s, other := hostiletest.Start(t), hostiletest.Start(t)
			ours, theirs := usual(t, s), usual(t, other)
			query := theirs.approve()
			query.Set("state", ours.flow.RedirectState) // as a mix-up arranges it
			step, err := ours.callback(query)
			if len(s.Seen("/token")) > 0 {
				t.Error("another provider's code was sent to the server")
			}
			return step, err
		}},
		{"an ID token of an earlier login is replayed", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			old := ""
			s.Bend(hostiletest.Mode{Token: func(m map[string]any) { old = m["id_token"].(string) }})
			link(t, provider(t, s.URL))
			s.Bend(hostiletest.Mode{Token: func(m map[string]any) { m["id_token"] = old }})
			l := usual(t, s)
			return l.callback(l.approve())
		}},
		{"nobody has begun the login", func(t *testing.T) (connector.Step, error) {
			s := hostiletest.Start(t)
			l := usual(t, s)
			query := l.approve()
			l.flow.RedirectState = ""
			query.Set("state", "")
			return l.callback(query)
		}},
	}
}

func TestAnHonestServerIsLinked(t *testing.T) {
	for _, mode := range []hostiletest.Mode{
		{Name: "as it comes"}, hostiletest.ES256(),
		{Name: "aud is a list", Claims: func(m map[string]any) { m["aud"] = []string{hostiletest.ClientID} }},
		{Name: "azp names us among two", Claims: func(m map[string]any) {
			m["aud"], m["azp"] = []string{hostiletest.ClientID, hostiletest.OtherClient}, hostiletest.ClientID
		}},
		{Name: "the clock is half a minute ahead", Claims: func(m map[string]any) { m["iat"] = time.Now().Unix() + 30 }},
		{Name: "there is no kid, and one key of the kind", Header: func(_ *hostiletest.Server, m map[string]any) { delete(m, "kid") }},
		{Name: "requests must be pushed", Metadata: func(m map[string]any) { m["require_pushed_authorization_requests"] = true }},
	} {
		t.Run(mode.Name, func(t *testing.T) {
			s := hostiletest.Start(t)
			s.Bend(mode)
			done := link(t, provider(t, s.URL))
			want := latchkey.UserData{ID: hostiletest.Subject, Name: "Jo Doe", Username: "jo", Avatar: "https://example.com/jo.png"}
			if done.User != want {
				t.Errorf("linked %+v", done.User)
			}
		})
	}
}

func TestAHostileServerLinksNobody(t *testing.T) {
	attacks := injections()
	for _, mode := range hostiletest.Modes() {
		attacks = append(attacks, bent(mode))
	}
	connections, names := 0, map[string]bool{}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			step, err := a.run(t)
			if _, linked := step.(connector.Done); linked || err == nil {
				connections++
				t.Errorf("answered with a %T", step)
				return
			}
			if failure, ok := errors.AsType[*connector.Failure](err); ok && failure.Code != latchkey.FailureProviderUnavailable {
				t.Errorf("failed with %s", failure.Code)
			}
			if text := err.Error(); strings.Contains(text, "at-") || strings.Contains(text, hostiletest.Secret) || strings.Contains(text, "its code") {
				t.Errorf("the error shows too much: %s", text)
			}
			t.Log(err)
		})
		names[a.name] = true
	}
	fmt.Printf("RESULT R-5 %d 0\n", connections)
	fmt.Printf("RESULT R-5.modes %d 40\n", len(names))
	if len(names) < 40 || len(names) != len(attacks) {
		t.Errorf("%d attacks, %d names", len(attacks), len(names))
	}
}
