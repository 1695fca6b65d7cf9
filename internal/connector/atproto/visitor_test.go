package atproto_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest/atprototest"
)

// visitor goes through one login.
type visitor struct {
	t        *testing.T
	provider connector.Connector
	http     *http.Client
	state    []byte
}

// visit begins a login at the server.
func visit(t *testing.T, server *atprototest.Server) *visitor {
	t.Helper()
	v := &visitor{t: t, provider: provider(server), http: client()}
	v.begin()
	return v
}

// begin makes the first step.
func (v *visitor) begin() {
	v.t.Helper()
	if _, err := v.do("", nil); err != nil {
		v.t.Fatal(err)
	}
}

// submit hands in pairs of field and value.
func (v *visitor) submit(fields ...string) (connector.Step, error) {
	v.t.Helper()
	values := map[string]latchkey.Secret{}
	for i := 0; i+1 < len(fields); i += 2 {
		values[fields[i]] = latchkey.NewSecret([]byte(fields[i+1]))
	}
	return v.do(latchkey.ActionContinue, values)
}

// do makes one step.
func (v *visitor) do(action latchkey.Action, fields map[string]latchkey.Secret) (connector.Step, error) {
	v.t.Helper()
	step, err := v.provider.Advance(v.t.Context(), connector.Flow{
		SessionID: "ls_test", Environment: latchkey.Live, State: v.state, HTTP: v.http, Now: time.Now(),
	}, connector.Input{Action: action, Fields: fields})
	if prompt, ok := step.(connector.Prompt); ok {
		v.state = prompt.State
	}
	return step, err
}

// refused demands that the step asks again at the place.
func refused(t *testing.T, step connector.Step, err error, at latchkey.State, code latchkey.FailureCode) {
	t.Helper()
	prompt, ok := step.(connector.Prompt)
	if err != nil || !ok || prompt.At != at || prompt.Refused != code {
		t.Fatalf("got %T %+v, %v; want a prompt at %s refused with %q", step, step, err, at, code)
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

// link logs ada in with the app password.
func link(t *testing.T, server *atprototest.Server) connector.Done {
	t.Helper()
	step, err := visit(t, server).submit("username", handle, "password", appPassword)
	return linked(t, step, err)
}
