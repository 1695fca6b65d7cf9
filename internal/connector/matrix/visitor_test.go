package matrix_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest/matrixtest"
)

// The redirect's parameters of the tests.
const (
	callbackURL   = "https://link.example.com/callback/matrix/org_1"
	redirectState = "ls_1.2.abc"
)

// visitor goes through one login.
type visitor struct {
	t        *testing.T
	provider connector.Connector
	http     *http.Client
	callback string
	session  string
	state    []byte
}

// visit begins a login.
func visit(t *testing.T) *visitor {
	t.Helper()
	v := &visitor{t: t, provider: provider(), http: client(), callback: callbackURL, session: "ls_1"}
	if _, err := v.do(connector.Input{}); err != nil {
		t.Fatal(err)
	}
	return v
}

// submit hands in a field.
func (v *visitor) submit(name, value string) (connector.Step, error) {
	return v.do(connector.Input{
		Action: latchkey.ActionContinue, Fields: map[string]latchkey.Secret{name: latchkey.NewSecret([]byte(value))},
	})
}

// comeBack hands in what a callback brought.
func (v *visitor) comeBack(query url.Values) (connector.Step, error) {
	return v.do(connector.Input{Action: latchkey.ActionCallback, Query: query})
}

// do makes one step.
func (v *visitor) do(input connector.Input) (connector.Step, error) {
	step, err := v.provider.Advance(v.t.Context(), connector.Flow{
		SessionID: v.session, Environment: latchkey.Live, State: v.state, CallbackURL: v.callback, RedirectState: redirectState,
		HTTP: v.http, Now: time.Now(),
	}, input)
	switch step := step.(type) {
	case connector.Prompt:
		v.state = step.State
	case connector.Redirect:
		v.state = step.State
	}
	return step, err
}

// asked demands that the step asks for a field, refused with the code or not.
func asked(t *testing.T, step connector.Step, err error, field string, code latchkey.FailureCode) {
	t.Helper()
	prompt, ok := step.(connector.Prompt)
	if err != nil || !ok || prompt.Refused != code || prompt.Prompt.Fields[0].Name != field {
		t.Fatalf("got %T %+v, %v; want a prompt for %s refused with %q", step, step, err, field, code)
	}
}

// linked demands the end of a login.
func linked(t *testing.T, step connector.Step, err error) connector.Done {
	t.Helper()
	done, ok := step.(connector.Done)
	if err != nil || !ok {
		t.Fatalf("got %T, %v; want Done", step, err)
	}
	return done
}

// failed demands that the login ended with the code.
func failed(t *testing.T, err error, code latchkey.FailureCode) {
	t.Helper()
	if failure, ok := errors.AsType[*connector.Failure](err); !ok || failure.Code != code {
		t.Fatalf("got %v, want a failure with %s", err, code)
	}
}

// link logs a user in by password.
func link(t *testing.T, id string) connector.Done {
	t.Helper()
	v := visit(t)
	step, err := v.submit("username", id)
	asked(t, step, err, "password", "")
	step, err = v.submit("password", password)
	return linked(t, step, err)
}

// sso logs in as far as the callback's query.
func (v *visitor) sso(server *matrixtest.Server, id, localpart string) url.Values {
	v.t.Helper()
	step, err := v.submit("username", id)
	redirect, ok := step.(connector.Redirect)
	if err != nil || !ok {
		v.t.Fatalf("got %T, %v; want a redirect", step, err)
	}
	back, err := server.SignIn(v.t.Context(), redirect.URL, localpart, password)
	if err != nil {
		v.t.Fatal(err)
	}
	if got := back.Scheme + "://" + back.Host + back.Path; got != callbackURL {
		v.t.Fatalf("sent back to %s", got)
	}
	return back.Query()
}
