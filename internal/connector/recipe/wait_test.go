package recipe_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/recipe"
)

// choiceSteps let people choose between a code by phone, a code of an app, and
// an approval elsewhere.
const choiceSteps = `
  - name: enter
    requests: [{method: POST, path: /login}]
    when: [{if: {status: 204}, then: {2fa: choose}}]
  - name: send
    requests: [{method: POST, path: /send}]
    when: [{if: {status: 204}, then: {2fa: code}}]
  - name: push
    requests: [{method: POST, path: /push}]
    when: [{if: {status: 204}, then: {wait: approval}}]
  - name: look
    requests: [{method: GET, path: /approval}]
    when:
      - {if: {json: {path: $.state, equals: approved}}, then: done}
      - {if: {json: {path: $.state, equals: waiting}}, then: {wait: approval}}
      - {if: {json: {path: $.state, equals: refused}}, then: {refused: 2fa_failed}}
      - {if: {json: {path: $.state, equals: gone}}, then: {2fa: choose}}
  - name: code
    requests: [{method: POST, path: /code, form: {c: "{{field.code}}"}}]
    when: [{if: {status: 204}, then: done}, {then: {refused: 2fa_failed}}]
prompts:
  - {name: choose, message: Choose one., methods: {phone: {goto: send}, app: {2fa: code}, push: {goto: push}}}
  - {name: code, option: phone, fields: [{name: code, type: code, label: Code}], next: code}
  - {name: approval, option: push, message: Approve it in your app., wait: 3s, next: look, resend: push}
`

// choiceSite answers for choiceSteps, and counts what it has sent.
func choiceSite(t *testing.T, sent map[string]int, state *string) *recipe.Connector {
	mux := http.NewServeMux()
	for _, path := range []string{"/login", "/send", "/push", "/code"} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, _ *http.Request) {
			sent[path]++
			w.WriteHeader(http.StatusNoContent)
		})
	}
	mux.HandleFunc("GET /approval", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, http.StatusOK, `{"state":"`+*state+`"}`)
	})
	return site(t, mux, choiceSteps)
}

// wantWait wants to be told to look again, and looks.
func wantWait(t *testing.T, step connector.Step) connector.Wait {
	t.Helper()
	wait, ok := step.(connector.Wait)
	if !ok {
		t.Fatalf("want a Wait, have %T %+v", step, step)
	}
	want := connector.Wait{
		After: 3 * time.Second,
		Prompt: latchkey.Prompt{
			Message: "Approve it in your app.", CanResend: true, TwoFactor: &latchkey.TwoFactorState{Options: []string{"push"}},
		},
		State: wait.State,
	}
	if diff := cmp.Diff(want, wait); diff != "" {
		t.Error(diff)
	}
	return wait
}

// choose logs in and chooses a second factor.
func choose(t *testing.T, c *recipe.Connector, method string) (connector.Step, error) {
	t.Helper()
	step, err := login(t, c, "good-password")
	if err != nil {
		t.Fatal(err)
	}
	asked := wantPrompt(t, step, latchkey.StateTwoFactor, "")
	want := latchkey.Prompt{
		Message: "Choose one.", Methods: []string{"phone", "app", "push"},
		TwoFactor: &latchkey.TwoFactorState{Options: []string{"phone", "app", "push"}},
	}
	if diff := cmp.Diff(want, asked.Prompt); diff != "" {
		t.Error(diff)
	}
	return advance(t, c, step, connector.Input{Action: latchkey.ActionContinue, Method: method})
}

func TestAChoiceOfSecondFactors(t *testing.T) {
	sent, state := map[string]int{}, "waiting"
	c := choiceSite(t, sent, &state)
	for method, sends := range map[string]int{"phone": 1, "app": 0} {
		t.Run(method+" leads to a code", func(t *testing.T) {
			clear(sent)
			step, err := choose(t, c, method)
			if err != nil {
				t.Fatal(err)
			}
			wantPrompt(t, step, latchkey.StateTwoFactor, "")
			if sent["/send"] != sends {
				t.Errorf("%d codes were sent", sent["/send"])
			}
			if _, ok := submit(t, c, step, map[string]string{"code": "123456"}).(connector.Done); !ok {
				t.Error("the code does not end the login")
			}
		})
	}
	for _, method := range []string{"", "email", "choose"} {
		t.Run("what was not offered is refused: "+method, func(t *testing.T) {
			step, err := choose(t, c, method)
			if err != nil {
				t.Fatal(err)
			}
			wantPrompt(t, step, latchkey.StateTwoFactor, latchkey.FailureTwoFactor)
		})
	}
}

func TestAnApprovalElsewhereIsPolled(t *testing.T) {
	sent, state := map[string]int{}, "waiting"
	c := choiceSite(t, sent, &state)
	look := func(wait connector.Wait, action latchkey.Action) (connector.Step, error) {
		return c.Advance(t.Context(), connector.Flow{HTTP: wayOut, Now: time.Now(), State: wait.State}, connector.Input{Action: action})
	}
	begin := func() connector.Wait {
		t.Helper()
		step, err := choose(t, c, "push")
		if err != nil {
			t.Fatal(err)
		}
		return wantWait(t, step)
	}
	t.Run("until it has come", func(t *testing.T) {
		wait := begin()
		for range 3 {
			step, err := look(wait, latchkey.ActionPoll)
			if err != nil {
				t.Fatal(err)
			}
			wait = wantWait(t, step)
		}
		state = "approved"
		if step, err := look(wait, latchkey.ActionPoll); err != nil {
			t.Error(err)
		} else if _, ok := step.(connector.Done); !ok {
			t.Errorf("an approval leads to %T", step)
		}
	})
	t.Run("and may be asked for again", func(t *testing.T) {
		state = "waiting"
		wait, before := begin(), sent["/push"]
		step, err := look(wait, latchkey.ActionResend)
		if err != nil {
			t.Fatal(err)
		}
		if wantWait(t, step); sent["/push"] != before+1 {
			t.Errorf("%d requests", sent["/push"]-before)
		}
	})
	t.Run("until it is refused, which ends the login", func(t *testing.T) {
		wait := begin()
		state = "refused"
		_, err := look(wait, latchkey.ActionPoll)
		if failure, ok := errors.AsType[*connector.Failure](err); !ok || failure.Code != latchkey.FailureTwoFactor {
			t.Errorf("error %v", err)
		}
	})
	t.Run("or leads back to the choice", func(t *testing.T) {
		state = "waiting"
		wait := begin()
		state = "gone"
		step, err := look(wait, latchkey.ActionPoll)
		if err != nil {
			t.Fatal(err)
		}
		wantPrompt(t, step, latchkey.StateTwoFactor, "")
	})
}
