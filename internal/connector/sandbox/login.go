package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// attempt is one call of Advance.
type attempt struct {
	session string
	now     time.Time
	input   connector.Input
	state   state
}

// Advance takes a login one step further.
func (c *Connector) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("advance sandbox login: %w", err)
	}
	if flow.Environment == latchkey.Live {
		return nil, &connector.Failure{Code: latchkey.FailureAccessDenied, Reason: "sandbox accounts exist in the sandbox environment only"}
	}
	if flow.State == nil {
		return askLogin(state{}, "")
	}
	stored, err := readState(flow.State)
	if err != nil {
		return nil, err
	}
	a := attempt{session: flow.SessionID, now: c.at(flow.Now), input: input, state: stored}
	if stored.Stage == atLogin {
		return a.login(ctx)
	}
	if stored.Account.Behaviour == slow {
		if err := pause(ctx, slowAnswer); err != nil {
			return nil, err
		}
	}
	if input.Action == latchkey.ActionBack {
		return askLogin(stored, "")
	}
	switch stored.Stage {
	case atPush:
		return a.push()
	case atFace:
		return a.face()
	default:
		return a.code()
	}
}

// askLogin asks for the address and the password, keeping what is remembered,
// so that going back and forth refills no budget.
func askLogin(s state, refused latchkey.FailureCode) (connector.Step, error) {
	s.Stage = atLogin
	encoded, err := s.encode()
	if err != nil {
		return nil, err
	}
	return connector.Prompt{
		At:      latchkey.StateLogin,
		Refused: refused,
		State:   encoded,
		Prompt: latchkey.Prompt{Fields: []latchkey.Field{
			{Name: "username", Type: latchkey.FieldText, Label: "Email", Autocomplete: "username", Required: true},
			{Name: "password", Type: latchkey.FieldPassword, Label: "Password", Autocomplete: "current-password", Required: true},
		}},
	}, nil
}

// login tries the address and the password. A provider that is down or flaky
// fails before it looks at the password, one that is slow answers everything
// late.
func (a attempt) login(ctx context.Context) (connector.Step, error) {
	if a.input.Action != latchkey.ActionContinue {
		return askLogin(a.state, "")
	}
	who, known := parseAddress(a.input.Fields["username"].Reveal())
	switch {
	case !known:
		return askLogin(a.state, latchkey.FailureInvalidCredentials)
	case who.Behaviour == down:
		return nil, errors.New("reach the sandbox: it is down, as asked")
	case who.Behaviour == flaky && a.state.Failed != who.Seed:
		a.state.Failed = who.Seed
		return askLogin(a.state, latchkey.FailureProviderUnavailable)
	case who.Behaviour == slow:
		if err := pause(ctx, slowAnswer); err != nil {
			return nil, err
		}
	}
	if string(a.input.Fields["password"].Reveal()) != goodPassword {
		return askLogin(a.state, latchkey.FailureInvalidCredentials)
	}
	if who.Behaviour == locked {
		return nil, &connector.Failure{Code: latchkey.FailureAccountLocked, Reason: "the sandbox account is locked, as asked"}
	}
	return a.recognised(who)
}

// recognised goes on after a right password: to the second factor, or to the
// end. Budgets start anew only for another account than before.
func (a attempt) recognised(who account) (connector.Step, error) {
	if a.state.Account != who {
		a.state = state{Account: who, Failed: a.state.Failed}
	}
	switch {
	case who.Behaviour == phone || who.App:
		return a.startCode()
	case who.Behaviour == push:
		return a.startPush()
	case who.Behaviour == face:
		return a.startFace()
	}
	return a.done()
}

// done ends the login with the person and a credential of their own.
func (a attempt) done() (connector.Step, error) {
	who := a.state.Account
	issued, err := issue(who, a.session, a.now)
	if err != nil {
		return nil, err
	}
	return connector.Done{User: personOf(who.Seed, who.Type).userData(), Credential: issued}, nil
}
