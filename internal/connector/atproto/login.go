package atproto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/jsonapi"
)

// Bounds of what a person submits, in bytes.
const (
	maxPassword = 512 // as the reference PDS has it
	maxCode     = 64
)

// Advance takes a login one step further.
func (c *Connector) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if len(flow.State) == 0 || input.Action == latchkey.ActionBack {
		return askLogin("")
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	s, err := readState(flow.State)
	if err != nil {
		return nil, err
	}
	defer s.Password.Zero()
	if s.Stage == atLogin {
		return c.login(ctx, flow.HTTP, flow.Now, input)
	}
	who, err := c.account(s)
	if err != nil {
		return nil, err
	}
	a := attempt{c: c, client: flow.HTTP, now: flow.Now, who: who, password: s.Password.Reveal()}
	switch input.Action {
	case latchkey.ActionResend:
		return a.try(ctx, nil)
	case latchkey.ActionContinue:
		code := tidyCode(input.Fields["code"].Reveal())
		if len(code) == 0 || len(code) > maxCode {
			return a.askCode(latchkey.FailureTwoFactor)
		}
		return a.try(ctx, code)
	}
	return a.askCode("")
}

// askLogin asks for the name and the password.
func askLogin(refused latchkey.FailureCode) (connector.Step, error) {
	encoded, err := encodeLogin()
	if err != nil {
		return nil, err
	}
	return connector.Prompt{
		At: latchkey.StateLogin, Refused: refused, State: encoded,
		Prompt: latchkey.Prompt{Fields: []latchkey.Field{
			{Name: "username", Type: latchkey.FieldText, Label: "Handle", Autocomplete: "username", Required: true},
			{
				Name: "password", Type: latchkey.FieldPassword, Label: "App password (recommended) or password",
				Autocomplete: "current-password", Required: true,
			},
		}},
	}, nil
}

// login finds who the name leads to and tries the password there.
func (c *Connector) login(ctx context.Context, client *http.Client, now time.Time, input connector.Input) (connector.Step, error) {
	if input.Action != latchkey.ActionContinue {
		return askLogin("")
	}
	name, ok := c.parseIdentifier(input.Fields["username"].Reveal())
	password := input.Fields["password"].Reveal()
	if !ok || len(password) == 0 || len(password) > maxPassword {
		return askLogin(latchkey.FailureInvalidCredentials)
	}
	who, err := c.find(ctx, client, name)
	switch {
	case errors.Is(err, errUnknown):
		return askLogin(latchkey.FailureInvalidCredentials)
	case err != nil:
		return nil, err
	}
	a := attempt{c: c, client: client, now: now, who: who, password: password}
	return a.try(ctx, nil)
}

// attempt is a password on its way to the account's PDS.
type attempt struct {
	c        *Connector
	client   *http.Client
	now      time.Time
	who      account
	password []byte // the caller's bytes
}

// try creates a session, with a code or without.
func (a attempt) try(ctx context.Context, code []byte) (connector.Step, error) {
	made, verdict, err := a.c.createSession(ctx, a.client, a.who, a.password, code)
	switch {
	case errors.Is(err, jsonapi.ErrText): // no PDS has such a password
		return askLogin(latchkey.FailureInvalidCredentials)
	case err != nil:
		return nil, fmt.Errorf("create a session: %w", err)
	}
	switch verdict {
	case verdictCredentials:
		return askLogin(latchkey.FailureInvalidCredentials)
	case verdictCodeWanted:
		if code != nil {
			return a.askCode(latchkey.FailureTwoFactor)
		}
		return a.askCode("")
	case verdictCodeWrong:
		return a.askCode(latchkey.FailureTwoFactor)
	case verdictTakenDown:
		return nil, &connector.Failure{Code: latchkey.FailureAccountLocked, Reason: "the account has been taken down"}
	}
	return a.done(ctx, made)
}

// askCode asks for the code that the PDS has sent by e-mail. It is letters and
// digits, so it is a text to the form, though one that no browser keeps.
func (a attempt) askCode(refused latchkey.FailureCode) (connector.Step, error) {
	encoded, err := encodeCode(a.who, a.password)
	if err != nil {
		return nil, err
	}
	return connector.Prompt{
		At: latchkey.StateTwoFactor, Refused: refused, State: encoded,
		Prompt: latchkey.Prompt{
			Message: "Enter the code we sent to your email.", CanResend: true,
			Fields: []latchkey.Field{
				{Name: "code", Type: latchkey.FieldText, Label: "Code", Autocomplete: "one-time-code", Required: true},
			},
			TwoFactor: &latchkey.TwoFactorState{Options: []string{"email"}},
		},
	}, nil
}

// tidyCode returns the code as it was sent, five and five characters in capitals
// with a hyphen between: people leave that out, and copy spaces with it.
func tidyCode(typed []byte) []byte {
	code := bytes.ToUpper(bytes.TrimSpace(typed))
	if len(code) == 10 && !bytes.ContainsAny(code, "- ") {
		code = bytes.Join([][]byte{code[:5], code[5:]}, []byte("-"))
	}
	return code
}

// done ends the login with the person and the session, if the PDS has told of
// the account that was asked for, and it is one that can be used.
func (a attempt) done(ctx context.Context, made session) (connector.Step, error) {
	defer made.zero()
	unused := func() { _ = a.c.deleteSession(ctx, a.client, a.who.PDS, made.Refresh.Reveal()) }
	if made.DID != a.who.DID {
		unused()
		return nil, errors.New("create a session: the PDS answered for another account")
	}
	if made.Active != nil && !*made.Active {
		unused()
		return nil, &connector.Failure{Code: latchkey.FailureAccountLocked, Reason: fmt.Sprintf("the account is %.32q", made.Status)}
	}
	kept := credentialOf(a.who, made)
	user, _ := a.c.look(ctx, a.client, kept)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	secret, err := kept.encode()
	if err != nil {
		return nil, err
	}
	return connector.Done{User: user, Credential: connector.Credential{
		Secret: secret, ExpiresAt: expiryOf(made.Access.Reveal(), a.now),
	}}, nil
}
