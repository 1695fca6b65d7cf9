package sandbox_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/connector"
)

// secondFactor logs in to an address and demands that it asks for a code.
func secondFactor(t *testing.T, address string) (*visitor, connector.Prompt) {
	t.Helper()
	v := visit(t)
	step, err := v.login(address, "good-password")
	prompt := want[connector.Prompt](t, step, err)
	if prompt.At != latchkey.StateTwoFactor || prompt.Refused != "" {
		t.Fatalf("at %q, refused %q", prompt.At, prompt.Refused)
	}
	return v, prompt
}

func TestTheCodeOfAnApp(t *testing.T) {
	v, prompt := secondFactor(t, "jo@creator-otp.sandbox.com")
	if diff := cmp.Diff(&latchkey.TwoFactorState{Options: []string{"app"}}, prompt.Prompt.TwoFactor); diff != "" {
		t.Error(diff)
	}
	for _, wrong := range []string{"123457", "12345", "1234567", "１２３４５６", strings.Repeat(" ", 64) + "123456"} {
		step, err := v.code(wrong)
		wantRefused(t, step, err, latchkey.FailureTwoFactor)
	}
	step, err := v.do(latchkey.ActionResend, nil)
	if again := wantRefused(t, step, err, ""); again.Prompt.CanResend {
		t.Error("an app's code can be sent again")
	}
	step, err = v.code(" 123 456 ")
	want[connector.Done](t, step, err)
}

func TestTheCodeByPhoneIsAnnounced(t *testing.T) {
	t.Run("with the budgets, the end of the number and the times", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, prompt := secondFactor(t, "jo@phone.sandbox.com")
			got := prompt.Prompt.TwoFactor
			if len(got.PhoneLast4) != 4 || !prompt.Prompt.CanResend {
				t.Errorf("last digits %q, resend %t", got.PhoneLast4, prompt.Prompt.CanResend)
			}
			wanted := &latchkey.CodeBudget{
				RequestAttemptsLimit: 3, RequestAttemptsLeft: 2, CheckAttemptsLimit: 3, CheckAttemptsLeft: 3,
				ExpirationDate: latchkey.FormatTime(time.Now().Add(5 * time.Minute)), ExpirationSeconds: 300,
				LastSentDate: latchkey.FormatTime(time.Now()),
			}
			if diff := cmp.Diff(wanted, got.PhoneCode); diff != "" {
				t.Error(diff)
			}
		})
	})
}

func TestTheCodeByPhoneHasABudget(t *testing.T) {
	t.Run("is sent three times at most, and can still be entered then", func(t *testing.T) {
		v, _ := secondFactor(t, "jo@phone.sandbox.com")
		for left := 1; left >= 0; left-- {
			step, err := v.do(latchkey.ActionResend, nil)
			prompt := wantRefused(t, step, err, "")
			if prompt.Prompt.TwoFactor.PhoneCode.RequestAttemptsLeft != left || prompt.Prompt.CanResend != (left > 0) {
				t.Fatalf("%d left, resend %t", prompt.Prompt.TwoFactor.PhoneCode.RequestAttemptsLeft, prompt.Prompt.CanResend)
			}
		}
		step, err := v.do(latchkey.ActionResend, nil)
		wantRefused(t, step, err, latchkey.FailureTooManyAttempts)
		step, err = v.code("123456")
		want[connector.Done](t, step, err)
	})
	t.Run("is checked three times at most", func(t *testing.T) {
		v, _ := secondFactor(t, "jo@phone.sandbox.com")
		for left := 2; left > 0; left-- {
			step, err := v.code("000000")
			prompt := wantRefused(t, step, err, latchkey.FailureTwoFactor)
			if prompt.Prompt.TwoFactor.PhoneCode.CheckAttemptsLeft != left {
				t.Fatalf("%d checks left, want %d", prompt.Prompt.TwoFactor.PhoneCode.CheckAttemptsLeft, left)
			}
		}
		_, err := v.code("000000")
		wantFailure(t, err, latchkey.FailureTwoFactor)
	})
	t.Run("gets no new budget by going back", func(t *testing.T) {
		v, _ := secondFactor(t, "jo@phone.sandbox.com")
		step, err := v.code("000000")
		wantRefused(t, step, err, latchkey.FailureTwoFactor)
		step, err = v.do(latchkey.ActionBack, nil)
		if back := wantRefused(t, step, err, ""); back.At != latchkey.StateLogin {
			t.Fatalf("back at %q", back.At)
		}
		step, err = v.login("jo@phone.sandbox.com", "good-password")
		budget := want[connector.Prompt](t, step, err).Prompt.TwoFactor.PhoneCode
		if budget.CheckAttemptsLeft != 2 || budget.RequestAttemptsLeft != 2 {
			t.Errorf("budget %+v", budget)
		}
	})
}

func TestTheCodeByPhoneExpires(t *testing.T) {
	t.Run("after five minutes, until another one is sent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v, _ := secondFactor(t, "jo@phone.sandbox.com")
			time.Sleep(5 * time.Minute)
			step, err := v.code("123456")
			wantRefused(t, step, err, latchkey.FailureTwoFactor)
			step, err = v.do(latchkey.ActionResend, nil)
			wantRefused(t, step, err, "")
			time.Sleep(5*time.Minute - time.Millisecond)
			step, err = v.code("123456")
			want[connector.Done](t, step, err)
		})
	})
}

func TestTheCodeByPhoneOrByApp(t *testing.T) {
	t.Run("can be replaced by an app's where both are offered", func(t *testing.T) {
		v, prompt := secondFactor(t, "jo@phone-fan-otp.sandbox.com")
		both := []string{"phone", "app"}
		if !cmp.Equal(prompt.Prompt.Methods, both) || !cmp.Equal(prompt.Prompt.TwoFactor.Options, both) {
			t.Errorf("methods %v", prompt.Prompt.Methods)
		}
		step, err := v.input(connector.Input{Action: latchkey.ActionContinue, Method: "app", Fields: secrets(map[string]string{"code": "000000"})})
		refused := wantRefused(t, step, err, latchkey.FailureTwoFactor)
		if refused.Prompt.TwoFactor.PhoneCode.CheckAttemptsLeft != 3 {
			t.Error("an app's code was taken from the phone's budget")
		}
		step, err = v.input(connector.Input{Action: latchkey.ActionContinue, Method: "app", Fields: secrets(map[string]string{"code": "123456"})})
		want[connector.Done](t, step, err)
	})
	t.Run("stays the phone's where an app is claimed but not offered", func(t *testing.T) {
		v, _ := secondFactor(t, "jo@phone.sandbox.com")
		step, err := v.input(connector.Input{Action: latchkey.ActionContinue, Method: "app", Fields: secrets(map[string]string{"code": "000000"})})
		refused := wantRefused(t, step, err, latchkey.FailureTwoFactor)
		if refused.Prompt.TwoFactor.PhoneCode.CheckAttemptsLeft != 2 {
			t.Error("the check was free")
		}
	})
	t.Run("is not used up by choosing a method", func(t *testing.T) {
		v, _ := secondFactor(t, "jo@phone-otp.sandbox.com")
		step, err := v.input(connector.Input{Action: latchkey.ActionContinue, Method: "phone"})
		prompt := wantRefused(t, step, err, "")
		if prompt.Prompt.TwoFactor.PhoneCode.CheckAttemptsLeft != 3 {
			t.Error("a check was used up")
		}
	})
}

func TestAPushIsApprovedAfterTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := visit(t)
		step, err := v.login("jo@push.sandbox.com", "good-password")
		wait := want[connector.Wait](t, step, err)
		if wait.After != 2*time.Second || !cmp.Equal(wait.Prompt.TwoFactor.Options, []string{"push"}) {
			t.Fatalf("wait %s for %v", wait.After, wait.Prompt.TwoFactor.Options)
		}
		time.Sleep(1500 * time.Millisecond)
		step, err = v.do(latchkey.ActionPoll, nil)
		if wait = want[connector.Wait](t, step, err); wait.After != 500*time.Millisecond {
			t.Errorf("wait %s more", wait.After)
		}
		step, err = v.do(latchkey.ActionResend, nil)
		if wait = want[connector.Wait](t, step, err); wait.After != 2*time.Second {
			t.Errorf("wait %s after another push", wait.After)
		}
		time.Sleep(2 * time.Second)
		step, err = v.do(latchkey.ActionPoll, nil)
		want[connector.Done](t, step, err)
	})
}

func TestAFaceCheckPassesAtTheFirstLook(t *testing.T) {
	v := visit(t)
	step, err := v.login("jo@face.sandbox.com", "good-password")
	for _, left := range []int{2, 1, 0, 0} {
		wait := want[connector.Wait](t, step, err)
		budget := &latchkey.FaceBudget{RequestAttemptsLimit: 3, RequestAttemptsLeft: left}
		if diff := cmp.Diff(budget, wait.Prompt.TwoFactor.FaceCode); diff != "" {
			t.Fatal(diff)
		}
		step, err = v.do(latchkey.ActionResend, nil)
	}
	step, err = v.do(latchkey.ActionContinue, nil)
	want[connector.Done](t, step, err)
}

func TestAnApprovalIsFoundOnlyByLooking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, address := range []string{"jo@push.sandbox.com", "jo@face.sandbox.com"} {
			v := visit(t)
			step, err := v.login(address, "good-password")
			want[connector.Wait](t, step, err)
			time.Sleep(2 * time.Second)
			step, err = v.do(latchkey.ActionCallback, nil)
			want[connector.Wait](t, step, err)
			step, err = v.do(latchkey.ActionBack, nil)
			if back := want[connector.Prompt](t, step, err); back.At != latchkey.StateLogin {
				t.Errorf("%s: back at %q", address, back.At)
			}
		}
	})
}
