package sandbox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// The budgets of a code sent by phone, and how long it is good.
const (
	codeRequests = 3
	codeChecks   = 3
	codeLife     = 5 * time.Minute
)

// The second factors, as the published API names them.
const (
	methodPhone = "phone"
	methodApp   = "app"
	methodFace  = "face"
	methodPush  = "push"
)

// startCode comes to the code stage. A code goes out by phone unless one has
// already been sent to this account in this login.
func (a attempt) startCode() (connector.Step, error) {
	a.state.Stage = atCode
	if a.state.Account.Behaviour == phone && a.state.SentAt == 0 {
		a.state.RequestsLeft, a.state.ChecksLeft = codeRequests-1, codeChecks
		a.state.SentAt = a.now.UnixMilli()
	}
	return a.askCode("")
}

// code tries a code, or sends another one.
func (a attempt) code() (connector.Step, error) {
	byPhone := a.state.Account.Behaviour == phone && (a.input.Method != methodApp || !a.state.Account.App)
	switch a.input.Action {
	case latchkey.ActionResend:
		return a.resendCode()
	case latchkey.ActionContinue:
		given := a.input.Fields["code"].Reveal()
		switch {
		case len(given) == 0: // a method was chosen, nothing was tried
			return a.askCode("")
		case byPhone:
			return a.checkPhone(given)
		case rightCode(given):
			return a.done()
		}
		return a.askCode(latchkey.FailureTwoFactor)
	}
	return a.askCode("")
}

// resendCode sends another code while the budget lasts.
func (a attempt) resendCode() (connector.Step, error) {
	if a.state.Account.Behaviour != phone {
		return a.askCode("")
	}
	if a.state.RequestsLeft <= 0 {
		return a.askCode(latchkey.FailureTooManyAttempts)
	}
	a.state.RequestsLeft--
	a.state.SentAt = a.now.UnixMilli()
	return a.askCode("")
}

// checkPhone tries a code sent by phone. One that is too old is as wrong as any
// other; the last wrong one ends the login.
func (a attempt) checkPhone(given []byte) (connector.Step, error) {
	fresh := a.now.Before(a.state.sent().Add(codeLife))
	if fresh && rightCode(given) {
		return a.done()
	}
	a.state.ChecksLeft--
	if a.state.ChecksLeft <= 0 {
		return nil, &connector.Failure{Code: latchkey.FailureTwoFactor, Reason: fmt.Sprintf("%d wrong codes", codeChecks)}
	}
	return a.askCode(latchkey.FailureTwoFactor)
}

// rightCode compares a code, however it is spaced.
func rightCode(given []byte) bool {
	if len(given) > 32 {
		return false
	}
	return bytes.Equal(bytes.Join(bytes.Fields(given), nil), []byte(goodCode))
}

// askCode asks for a code, telling what is left of the budgets.
func (a attempt) askCode(refused latchkey.FailureCode) (connector.Step, error) {
	encoded, err := a.state.encode()
	if err != nil {
		return nil, err
	}
	who := a.state.Account
	prompt := latchkey.Prompt{
		Message:   "Enter the code of your authenticator app.",
		TwoFactor: &latchkey.TwoFactorState{Options: []string{methodApp}},
		Fields: []latchkey.Field{
			{Name: "code", Type: latchkey.FieldCode, Label: "Code", Autocomplete: "one-time-code", Required: true},
		},
	}
	if who.Behaviour == phone {
		last4 := phoneLast4(who.Seed)
		prompt.Message = "Enter the code we sent to the phone ending in " + last4 + "."
		prompt.CanResend = a.state.RequestsLeft > 0
		prompt.TwoFactor = &latchkey.TwoFactorState{
			Options: []string{methodPhone}, PhoneLast4: last4, PhoneCode: a.codeBudget(),
		}
		if who.App {
			prompt.Message += " You may use your authenticator app instead."
			prompt.Methods = []string{methodPhone, methodApp}
			prompt.TwoFactor.Options = prompt.Methods
		}
	}
	return connector.Prompt{At: latchkey.StateTwoFactor, Prompt: prompt, Refused: refused, State: encoded}, nil
}

// codeBudget tells what is left of a code by phone. The code that is sent when
// the stage is reached counts as the first request.
func (a attempt) codeBudget() *latchkey.CodeBudget {
	expiry := a.state.sent().Add(codeLife)
	return &latchkey.CodeBudget{
		RequestAttemptsLimit: codeRequests,
		RequestAttemptsLeft:  max(a.state.RequestsLeft, 0),
		CheckAttemptsLimit:   codeChecks,
		CheckAttemptsLeft:    max(a.state.ChecksLeft, 0),
		ExpirationDate:       latchkey.FormatTime(expiry),
		ExpirationSeconds:    int(max(expiry.Sub(a.now), 0) / time.Second),
		LastSentDate:         latchkey.FormatTime(a.state.sent()),
	}
}

// phoneLast4 returns the end of the phone number of a seed.
func phoneLast4(seed string) string {
	sum := derive(seed, "phone")
	return fmt.Sprintf("%04d", binary.BigEndian.Uint16(sum[:2])%10000)
}
