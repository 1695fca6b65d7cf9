package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/connectortest"
	"latchkey/internal/connector/sandbox"
)

// newSandbox returns a fresh provider.
func newSandbox(now func() time.Time) connector.Connector {
	return sandbox.New(sandbox.Config{Now: now})
}

// loginOf returns the submission of an address with the good password.
func loginOf(address string) connectortest.Submission {
	return connectortest.Submission{Fields: map[string]string{"username": address, "password": "good-password"}}
}

// codeOf returns the submission of a code.
func codeOf(code string) connectortest.Submission {
	return connectortest.Submission{Fields: map[string]string{"code": code}}
}

func TestSandboxKeepsTheContract(t *testing.T) {
	wrongPassword := connectortest.Wrong{
		Name: "a wrong password is refused",
		Submission: connectortest.Submission{
			Fields: map[string]string{"username": "jo@creator.sandbox.com", "password": "wrong-canary-4b1e07"},
		},
		Code: latchkey.FailureInvalidCredentials,
	}
	wrongCode := connectortest.Wrong{
		Name: "a wrong code is refused", At: 1, Submission: codeOf("990817"), Code: latchkey.FailureTwoFactor,
	}
	for name, c := range map[string]connectortest.Case{
		"password": {Walk: []connectortest.Submission{loginOf("jo@creator.sandbox.com")}},
		"app code": {
			Walk:  []connectortest.Submission{loginOf("jo@fan-otp.sandbox.com"), codeOf("123456")},
			Wrong: []connectortest.Wrong{wrongCode},
		},
		"phone code": {
			Walk: []connectortest.Submission{
				loginOf("jo@phone.sandbox.com"), {Action: latchkey.ActionResend}, codeOf("123456"),
			},
			Wrong: []connectortest.Wrong{wrongCode},
		},
		"push":     {Walk: []connectortest.Submission{loginOf("jo@push.sandbox.com"), {After: time.Second}, {After: time.Second}}},
		"face":     {Walk: []connectortest.Submission{loginOf("jo@face.sandbox.com"), {}}},
		"expiring": {Walk: []connectortest.Submission{loginOf("jo@expiring.sandbox.com")}},
	} {
		t.Run(name, func(t *testing.T) {
			c.New = newSandbox
			c.Wrong = append(c.Wrong, wrongPassword)
			connectortest.Run(t, c)
		})
	}
}

func TestSandboxIsForTheSandboxEnvironmentOnly(t *testing.T) {
	provider := newSandbox(time.Now)
	t.Run("it is described so", func(t *testing.T) {
		environments := provider.Describe().Environments
		if len(environments) != 1 || environments[0] != latchkey.Sandbox {
			t.Errorf("environments %v", environments)
		}
	})
	t.Run("a live login is refused even when it gets here", func(t *testing.T) {
		_, err := provider.Advance(t.Context(), connector.Flow{Environment: latchkey.Live}, connector.Input{})
		wantFailure(t, err, latchkey.FailureAccessDenied)
	})
}

func TestTheDocumentationNamesEveryScenario(t *testing.T) {
	page := sandbox.Documentation()
	for _, scenario := range sandbox.Scenarios() {
		row := "| `" + scenario.ID + "` | `" + scenario.Address + "` |"
		if !strings.Contains(page, row) || !strings.Contains(page, "| "+scenario.Outcome+" |") {
			t.Errorf("no row, or another outcome, for %s", scenario.ID)
		}
	}
}
