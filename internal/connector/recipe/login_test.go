package recipe_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/recipe"
)

// wayOut is the client that is handed in.
var wayOut = &http.Client{Transport: http.DefaultTransport}

// advance makes one step from where the last one led; fields nil stand for the
// first call.
func advance(t *testing.T, c *recipe.Connector, last connector.Step, input connector.Input) (connector.Step, error) {
	t.Helper()
	flow := connector.Flow{HTTP: wayOut, Now: time.Now()}
	if prompt, ok := last.(connector.Prompt); ok {
		flow.State = prompt.State
	}
	step, err := c.Advance(t.Context(), flow, input)
	latchkey.ZeroAll(input.Fields)
	return step, err
}

// submit continues with fields; nil ones stand for the first call.
func submit(t *testing.T, c *recipe.Connector, last connector.Step, fields map[string]string) connector.Step {
	t.Helper()
	step, err := advance(t, c, last, inputOf(fields))
	if err != nil {
		t.Fatal(err)
	}
	return step
}

// inputOf returns the input of a form.
func inputOf(fields map[string]string) connector.Input {
	if fields == nil {
		return connector.Input{}
	}
	input := connector.Input{Action: latchkey.ActionContinue, Fields: map[string]latchkey.Secret{}}
	for name, value := range fields {
		input.Fields[name] = latchkey.NewSecret([]byte(value))
	}
	return input
}

// wantPrompt wants a question at the state, refused for the reason.
func wantPrompt(t *testing.T, step connector.Step, at latchkey.State, refused latchkey.FailureCode) connector.Prompt {
	t.Helper()
	prompt, ok := step.(connector.Prompt)
	if !ok || prompt.At != at || prompt.Refused != refused {
		t.Fatalf("want a prompt at %s refused %q, have %T %+v", at, refused, step, step)
	}
	return prompt
}

// wantFailure wants the login to be over for the reason.
func wantFailure(t *testing.T, c *recipe.Connector, password string, code latchkey.FailureCode) {
	t.Helper()
	_, err := login(t, c, password)
	if failure, ok := errors.AsType[*connector.Failure](err); !ok || failure.Code != code {
		t.Errorf("error %v, want a failure %s", err, code)
	}
}

// wantNoFailure wants an error that leaves the login where it was.
func wantNoFailure(t *testing.T, err error) {
	t.Helper()
	if failure, ok := errors.AsType[*connector.Failure](err); ok {
		t.Errorf("the login is over: %s", failure.Code)
	}
}
