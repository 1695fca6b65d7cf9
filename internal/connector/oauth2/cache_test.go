package oauth2_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"latchkey/internal/connector"
	"latchkey/internal/latchtest/hostiletest"
)

// at makes a login at another time than now.
func at(t *testing.T, c connector.Connector, after time.Duration) error {
	t.Helper()
	l := mustBegin(t, c)
	query := l.approve()
	l.flow.Now = time.Now().Add(after)
	_, err := l.callback(query)
	return err
}

func TestANewKeyIsFoundAndNobodyIsPestered(t *testing.T) {
	s := hostiletest.Start(t)
	c := provider(t, s.URL)
	if err := at(t, c, 0); err != nil {
		t.Fatal(err)
	}
	s.Bend(hostiletest.Mode{
		Header: func(_ *hostiletest.Server, m map[string]any) { m["kid"] = "key-of-tomorrow" },
		Keys: func(_ *hostiletest.Server, m map[string]any) {
			m["keys"].([]any)[0].(map[string]any)["kid"] = "key-of-tomorrow"
		},
	})
	for range 3 {
		if at(t, c, 10*time.Second) == nil {
			t.Error("an unknown key was believed")
		}
	}
	if n := len(s.Seen("/keys")); n != 1 {
		t.Errorf("the keys were asked for %d times within a minute", n)
	}
	if err := at(t, c, 2*time.Minute); err != nil {
		t.Errorf("a new key, two minutes later: %v", err)
	}
	if n := len(s.Seen("/keys")); n != 2 {
		t.Errorf("the keys were asked for %d times", n)
	}
}

func TestMetadataIsKeptForAnHourAndServesWhileNoneCanBeHad(t *testing.T) {
	s := hostiletest.Start(t)
	c := provider(t, s.URL)
	done := link(t, c)
	renew := func(after time.Duration) error {
		given := access(noFollow(), done)
		given.Now = time.Now().Add(after)
		_, err := c.(connector.Refresher).Refresh(t.Context(), given)
		return err
	}
	asked := func() int { return len(s.Seen("/.well-known/openid-configuration")) }
	if err := renew(time.Minute); err != nil || asked() != 1 {
		t.Errorf("after a minute: %v, asked %d times", err, asked())
	}
	if err := renew(2 * time.Hour); err != nil || asked() != 2 {
		t.Errorf("after two hours: %v, asked %d times", err, asked())
	}
	s.Lack("/.well-known/openid-configuration")
	if err := renew(5 * time.Hour); err != nil {
		t.Errorf("with old metadata: %v", err)
	}
	if err := renew(48 * time.Hour); err == nil || errors.Is(err, connector.ErrDead) {
		t.Errorf("with metadata that is too old: %v", err)
	}
}

func TestMetadataThatTurnsHostileIsNotBelieved(t *testing.T) {
	s := hostiletest.Start(t)
	c := provider(t, s.URL)
	done := link(t, c)
	s.Bend(hostiletest.Mode{Metadata: func(m map[string]any) { m["issuer"] = "https://honest.example" }})
	given := access(noFollow(), done)
	given.Now = time.Now().Add(2 * time.Hour)
	if _, err := c.(connector.Refresher).Refresh(t.Context(), given); err == nil || errors.Is(err, connector.ErrDead) {
		t.Errorf("got %v", err)
	}
}

func TestOneConnectorServesManyAtOnce(t *testing.T) {
	s := hostiletest.Start(t)
	c := provider(t, s.URL)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			l, err := begin(t, c)
			if err != nil {
				t.Error(err)
				return
			}
			query, err := follow(t.Context(), l.client, l.redirect)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := l.callback(query); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestAPageThatKeepsMachinesOutIsToldApart(t *testing.T) {
	o := newOdd(t, map[string]string{"/token": `{"access_token":"a","refresh_token":"r","token_type":"bearer"}`, "/me": `{"id":"u1"}`})
	c := o.connector(registered(), "profile: {url: BASE/me, id: $.id}\n")
	done := o.mustArrive(c)
	for text, answer := range map[string]struct {
		status  int
		blocked bool
	}{
		"<html>Just a moment</html>":     {http.StatusForbidden, true},
		`{"error":"insufficient_scope"}`: {http.StatusForbidden, false},
		`{"error":"slow_down"}`:          {http.StatusTooManyRequests, true},
	} {
		o.answers["/me"], o.answers["/token"], o.refuse = text, text, answer.status
		_, check := c.(connector.Checker).Check(t.Context(), access(noFollow(), done))
		_, renewal := c.(connector.Refresher).Refresh(t.Context(), access(noFollow(), done))
		for name, err := range map[string]error{"check": check, "renewal": renewal} {
			if err == nil || errors.Is(err, connector.ErrBlocked) != answer.blocked || errors.Is(err, connector.ErrDead) {
				t.Errorf("%s, %s: %v", name, text, err)
			}
		}
	}
}
