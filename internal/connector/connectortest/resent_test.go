package connectortest

import (
	"context"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
)

// TestWhatIsSentAgainWithASecondFactorMayWaitForItAndNothingElse walks through a
// login whose second factor's state holds the password.
func TestWhatIsSentAgainWithASecondFactorMayWaitForItAndNothingElse(t *testing.T) {
	walk := func(resent []string, at latchkey.State, after func() connector.Step) int {
		p := imagine()
		p.next = func(_ context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
			if string(flow.State) != "login" {
				return after(), nil
			}
			asked := connector.Prompt{At: at, State: []byte("2fa " + string(input.Fields["password"].Reveal()))}
			asked.Prompt.Fields = []latchkey.Field{{Name: "code", Type: latchkey.FieldText, Label: "Code", Autocomplete: "one-time-code"}}
			if at == latchkey.StateTwoFactor {
				asked.Prompt.TwoFactor = &latchkey.TwoFactorState{Options: []string{"email"}}
			}
			return asked, nil
		}
		c := caseOf(p)
		c.Resent = resent
		c.Walk = append(c.Walk, Submission{Fields: map[string]string{"code": "ABCDE-12345"}})
		return len(walked(t, c))
	}
	done := func() connector.Step { return linked() }
	password := []string{"password"}
	if walk(password, latchkey.StateTwoFactor, done) != 0 {
		t.Error("a password that the second factor needs was found")
	}
	for name, errs := range map[string]int{
		"a password that nobody said is needed": walk(nil, latchkey.StateTwoFactor, done),
		"a password at another step":            walk(password, latchkey.StateLogin, done),
		"a code that is a text and is kept": walk(password, latchkey.StateTwoFactor, func() connector.Step {
			step := login("")
			step.State = []byte("ABCDE-12345")
			return step
		}),
		"a password among what is known of a person": walk(password, latchkey.StateTwoFactor, func() connector.Step {
			end := linked()
			end.User.Name = canary
			return end
		}),
	} {
		if errs == 0 {
			t.Errorf("%s was not found", name)
		}
	}
}
