package sandbox_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/sandbox"
)

// visitor goes through one login, as a session would, with a fresh provider at
// every step.
type visitor struct {
	t     *testing.T
	ctx   context.Context
	state []byte
}

// visit begins a login.
func visit(t *testing.T) *visitor {
	t.Helper()
	v := &visitor{t: t, ctx: t.Context()}
	step, err := v.do("", nil)
	if _, ok := step.(connector.Prompt); !ok || err != nil {
		t.Fatalf("first step %T, %v", step, err)
	}
	return v
}

// do makes one step; its state replaces the last one unless it failed.
func (v *visitor) do(action latchkey.Action, fields map[string]string) (connector.Step, error) {
	return v.input(connector.Input{Action: action, Fields: secrets(fields)})
}

// input makes one step with a whole input.
func (v *visitor) input(input connector.Input) (connector.Step, error) {
	flow := connector.Flow{SessionID: "ls_test", Environment: latchkey.Sandbox, State: v.state, Now: time.Now()}
	step, err := newSandbox(time.Now).Advance(v.ctx, flow, input)
	switch step := step.(type) {
	case connector.Prompt:
		v.state = step.State
	case connector.Wait:
		v.state = step.State
	}
	return step, err
}

// login hands in an address and a password.
func (v *visitor) login(address, password string) (connector.Step, error) {
	return v.do(latchkey.ActionContinue, map[string]string{"username": address, "password": password})
}

// code hands in a code.
func (v *visitor) code(code string) (connector.Step, error) {
	return v.do(latchkey.ActionContinue, map[string]string{"code": code})
}

// secrets returns fields as they come in.
func secrets(fields map[string]string) map[string]latchkey.Secret {
	all := make(map[string]latchkey.Secret, len(fields))
	for name, value := range fields {
		all[name] = latchkey.NewSecret([]byte(value))
	}
	return all
}

// want demands a step of a type.
func want[T connector.Step](t *testing.T, step connector.Step, err error) T {
	t.Helper()
	wanted, ok := step.(T)
	if !ok || err != nil {
		t.Fatalf("step %T, error %v; want %T", step, err, wanted)
	}
	return wanted
}

// wantFailure demands the end of a login.
func wantFailure(t *testing.T, err error, code latchkey.FailureCode) {
	t.Helper()
	failure, ok := errors.AsType[*connector.Failure](err)
	if !ok || failure.Code != code {
		t.Fatalf("error %v, want the failure %s", err, code)
	}
}

// wantRefused demands a prompt with a refusal.
func wantRefused(t *testing.T, step connector.Step, err error, code latchkey.FailureCode) connector.Prompt {
	t.Helper()
	prompt := want[connector.Prompt](t, step, err)
	if prompt.Refused != code {
		t.Fatalf("refused with %q, want %q", prompt.Refused, code)
	}
	return prompt
}

// mustLink logs in to an address that wants a password only.
func mustLink(t *testing.T, address string) connector.Done {
	t.Helper()
	step, err := visit(t).login(address, "good-password")
	return want[connector.Done](t, step, err)
}

func TestAPasswordIsEnoughForCreatorsAndFans(t *testing.T) {
	for _, address := range []string{"a@creator.sandbox.com", "b.c+d@fan.sandbox.com", "e@expiring-fan.sandbox.com"} {
		done := mustLink(t, address)
		if done.User.ID == "" || done.User.Name == "" || done.User.Username == "" || done.User.Avatar != "" {
			t.Errorf("%s: user %+v", address, done.User)
		}
	}
}

func TestTheSameAddressIsTheSameUser(t *testing.T) {
	first := mustLink(t, "jo@creator.sandbox.com")
	t.Run("whatever the case and the spaces around it", func(t *testing.T) {
		again := mustLink(t, "  JO@Creator.SANDBOX.com\n")
		if diff := cmp.Diff(first.User, again.User); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("from release to release", func(t *testing.T) {
		known := latchkey.UserData{ID: "3225950654724080425", Name: "Kaia Fontaine", Username: "kaiafontaine922"}
		if diff := cmp.Diff(known, first.User); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("and another address another one", func(t *testing.T) {
		seen := map[string]string{}
		for _, address := range []string{"jo@creator.sandbox.com", "jo@fan.sandbox.com", "jp@creator.sandbox.com", "j.o@creator.sandbox.com"} {
			id := mustLink(t, address).User.ID
			if other, taken := seen[id]; taken {
				t.Errorf("%s and %s share an id", address, other)
			}
			seen[id] = address
		}
	})
}

func TestAnythingElseIsRefused(t *testing.T) {
	for name, input := range map[string][2]string{
		"a wrong password":              {"jo@creator.sandbox.com", "bad"},
		"an empty password":             {"jo@creator.sandbox.com", ""},
		"a password with a space":       {"jo@creator.sandbox.com", "good-password "},
		"no address":                    {"", "good-password"},
		"a handle":                      {"jo", "good-password"},
		"another site":                  {"jo@creator.example.com", "good-password"},
		"the bare domain":               {"jo@sandbox.com", "good-password"},
		"an unknown scenario":           {"jo@admin.sandbox.com", "good-password"},
		"a scenario below a scenario":   {"jo@x.creator.sandbox.com", "good-password"},
		"a look-alike suffix":           {"jo@creator.sandbox.com.example.com", "good-password"},
		"two at signs":                  {"jo@creator.sandbox.com@creator.sandbox.com", "good-password"},
		"no name before the at sign":    {"@creator.sandbox.com", "good-password"},
		"a control character":           {"j\x00o@creator.sandbox.com", "good-password"},
		"a letter that lowers to ASCII": {"jo@\u212aphone.sandbox.com", "good-password"},
		"a long name":                   {strings.Repeat("a", 65) + "@creator.sandbox.com", "good-password"},
		"a very long address":           {strings.Repeat("a", 1<<20) + "@creator.sandbox.com", "good-password"},
		"otp alone":                     {"jo@otp.sandbox.com", "good-password"},
		"otp before the type":           {"jo@otp-creator.sandbox.com", "good-password"},
		"otp twice":                     {"jo@creator-otp-otp.sandbox.com", "good-password"},
		"two second factors":            {"jo@push-otp.sandbox.com", "good-password"},
		"an unknown part":               {"jo@slow-admin.sandbox.com", "good-password"},
		"a locked account's visitor":    {"jo@locked.sandbox.com", "bad"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			step, err := visit(t).login(input[0], input[1])
			prompt := wantRefused(t, step, err, latchkey.FailureInvalidCredentials)
			if prompt.At != latchkey.StateLogin {
				t.Errorf("at %q", prompt.At)
			}
		})
	}
}

func TestFailingScenarios(t *testing.T) {
	t.Run("a locked account ends the login", func(t *testing.T) {
		_, err := visit(t).login("jo@locked-fan.sandbox.com", "good-password")
		wantFailure(t, err, latchkey.FailureAccountLocked)
	})
	t.Run("a provider that is down is an error that ends nothing", func(t *testing.T) {
		v := visit(t)
		for range 2 {
			_, err := v.login("jo@down.sandbox.com", "good-password")
			if _, ended := errors.AsType[*connector.Failure](err); err == nil || ended {
				t.Fatalf("error %v", err)
			}
		}
	})
	t.Run("a flaky provider fails once and then works", func(t *testing.T) {
		v := visit(t)
		step, err := v.login("jo@flaky.sandbox.com", "good-password")
		wantRefused(t, step, err, latchkey.FailureProviderUnavailable)
		step, err = v.login("JO@flaky.sandbox.com", "good-password")
		want[connector.Done](t, step, err)
	})
	t.Run("a flaky provider fails anew for another account, and demands a password", func(t *testing.T) {
		v := visit(t)
		step, err := v.login("jo@flaky.sandbox.com", "good-password")
		wantRefused(t, step, err, latchkey.FailureProviderUnavailable)
		step, err = v.login("jp@flaky.sandbox.com", "good-password")
		wantRefused(t, step, err, latchkey.FailureProviderUnavailable)
		step, err = v.login("jp@flaky.sandbox.com", "bad")
		wantRefused(t, step, err, latchkey.FailureInvalidCredentials)
		step, err = v.login("jp@flaky-otp.sandbox.com", "good-password")
		wantRefused(t, step, err, latchkey.FailureProviderUnavailable)
	})
}

func TestASlowProviderTakesFiveSeconds(t *testing.T) {
	t.Run("for every answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := visit(t)
			for _, password := range []string{"bad", "good-password"} {
				start := time.Now()
				_, err := v.login("jo@slow-otp.sandbox.com", password)
				if took := time.Since(start); took != 5*time.Second || err != nil {
					t.Errorf("took %s, error %v", took, err)
				}
			}
			start := time.Now()
			step, err := v.code("123456")
			want[connector.Done](t, step, err)
			if took := time.Since(start); took != 5*time.Second {
				t.Errorf("the code took %s", took)
			}
		})
	})
	t.Run("unless the caller gives up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := visit(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			v.ctx = ctx
			start := time.Now()
			_, err := v.login("jo@slow.sandbox.com", "good-password")
			if took := time.Since(start); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("took %s, error %v", took, err)
			}
		})
	})
}

func TestAStateThatIsNotOursIsAnErrorThatEndsNothing(t *testing.T) {
	for name, state := range map[string]string{
		"nothing at all":     "",
		"no JSON":            "\x00\x01",
		"no stage":           "{}",
		"an unknown stage":   `{"stage":"admin"}`,
		"a code for nobody":  `{"stage":"code"}`,
		"too much":           `{"stage":"login","failed":"` + strings.Repeat("a", 8<<10) + `"}`,
		"a duplicate member": `{"stage":"login","stage":"code"}`,
	} {
		t.Run(name, func(t *testing.T) {
			v := &visitor{t: t, ctx: t.Context(), state: []byte(state)}
			_, err := v.code("123456")
			if _, ended := errors.AsType[*connector.Failure](err); err == nil || ended {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestScenariosAllActOutWhatTheySay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, scenario := range sandbox.Scenarios() {
			linked := !slices.Contains([]string{"locked", "down"}, scenario.ID)
			v := visit(t)
			step, err := v.login(scenario.Address, scenario.Password)
			if prompt, ok := step.(connector.Prompt); ok && prompt.Refused == latchkey.FailureProviderUnavailable {
				step, err = v.login(scenario.Address, scenario.Password)
			}
			if prompt, ok := step.(connector.Prompt); ok && prompt.At == latchkey.StateTwoFactor {
				step, err = v.code(scenario.OTPCode)
			}
			if wait, ok := step.(connector.Wait); ok {
				time.Sleep(wait.After)
				step, err = v.do(latchkey.ActionPoll, nil)
			}
			if _, done := step.(connector.Done); done != linked {
				t.Errorf("%s: %T, %v", scenario.ID, step, err)
			}
		}
	})
}
