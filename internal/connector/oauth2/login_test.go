package oauth2_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/oauth2"
	"latchkey/internal/latchtest/hostiletest"
)

// login is one login at a server, of one session.
type login struct {
	testing.TB
	connector connector.Connector
	client    *http.Client
	flow      connector.Flow
	redirect  string
}

// provider returns a connector for the server. Further lines of its file may
// be given; a client's id other than the usual one stands first, as "id=x".
func provider(t testing.TB, issuer string, lines ...string) connector.Connector {
	t.Helper()
	id := hostiletest.ClientID
	if len(lines) > 0 && strings.HasPrefix(lines[0], "id=") {
		id, lines = strings.TrimPrefix(lines[0], "id="), lines[1:]
	}
	head := []string{"id: hostile", "name: Hostile", "domain: hostile.example", "issuer: " + issuer}
	text := strings.Join(append(head, lines...), "\n")
	if !strings.Contains(text, "\nscopes:") {
		text += "\nscopes: [openid, profile]"
	}
	config, err := oauth2.Parse("hostile.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := oauth2.New(config, oauth2.Client{ID: id, Secret: latchkey.NewSecret([]byte(hostiletest.Secret))}, oauth2.Options{Development: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// begin begins a login and returns it at the redirect.
func begin(t testing.TB, c connector.Connector) (*login, error) {
	t.Helper()
	l := &login{TB: t, connector: c, client: noFollow(), flow: connector.Flow{
		SessionID: "ls_" + rand.Text(), Environment: latchkey.Live, CallbackURL: callbackURL, RedirectState: rand.Text() + rand.Text(),
		Now: time.Now(),
	}}
	t.Cleanup(l.client.CloseIdleConnections)
	l.flow.HTTP = l.client
	step, err := c.Advance(t.Context(), l.flow, connector.Input{})
	if err != nil {
		return nil, err
	}
	redirect, ok := step.(connector.Redirect)
	if !ok {
		t.Fatalf("the first step is a %T", step)
	}
	l.redirect, l.flow.State = redirect.URL, redirect.State
	return l, nil
}

// mustBegin is begin at a server that allows it.
func mustBegin(t testing.TB, c connector.Connector) *login {
	t.Helper()
	l, err := begin(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// approve lets the person allow it, and returns what the server answers.
func (l *login) approve() url.Values {
	l.Helper()
	query, err := follow(context.Background(), l.client, l.redirect)
	if err != nil {
		l.Fatal(err)
	}
	return query
}

// callback hands an answer in.
func (l *login) callback(query url.Values) (connector.Step, error) {
	return l.connector.Advance(context.Background(), l.flow, connector.Input{Action: latchkey.ActionCallback, Query: query})
}

// link goes the whole way.
func link(t testing.TB, c connector.Connector) connector.Done {
	t.Helper()
	l := mustBegin(t, c)
	step, err := l.callback(l.approve())
	if err != nil {
		t.Fatal(err)
	}
	done, ok := step.(connector.Done)
	if !ok {
		t.Fatalf("the last step is a %T", step)
	}
	return done
}

// access returns an opened credential.
func access(l *http.Client, done connector.Done) connector.Access {
	return connector.Access{ConnectionID: "conn_test", Credential: append([]byte(nil), done.Credential.Secret...), HTTP: l, Now: time.Now()}
}
