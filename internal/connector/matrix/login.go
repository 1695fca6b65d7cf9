package matrix

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/jsonapi"
)

// Bounds of what comes in, in bytes.
const (
	maxPassword   = 4096
	maxLoginToken = 4096
)

// Advance takes a login one step further.
func (c *Connector) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if len(flow.State) == 0 || input.Action == latchkey.ActionBack {
		return askName("")
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	l, err := c.readState(flow.State)
	if err != nil {
		return nil, err
	}
	switch {
	case l.stage == atName && input.Action == latchkey.ActionContinue:
		return c.takeName(ctx, flow, input.Fields["username"].Reveal())
	case l.stage == atPassword && input.Action == latchkey.ActionContinue:
		return c.takePassword(ctx, flow, l, input.Fields["password"].Reveal())
	case l.stage == atPassword:
		return askPassword(l, "")
	case l.stage == atSSO && input.Action == latchkey.ActionCallback:
		return c.takeCallback(ctx, flow, l, input.Query)
	}
	return askName("")
}

// askName asks for the Matrix ID.
func askName(refused latchkey.FailureCode) (connector.Step, error) {
	encoded, err := state{Stage: atName}.encode()
	if err != nil {
		return nil, err
	}
	return connector.Prompt{
		At: latchkey.StateLogin, Refused: refused, State: encoded,
		Prompt: latchkey.Prompt{Fields: []latchkey.Field{
			{Name: "username", Type: latchkey.FieldText, Label: "Matrix ID (@name:server)", Autocomplete: "username", Required: true},
		}},
	}, nil
}

// askPassword asks for the password, where the homeserver has no page of its
// own.
func askPassword(l login, refused latchkey.FailureCode) (connector.Step, error) {
	encoded, err := l.state(atPassword)
	if err != nil {
		return nil, err
	}
	return connector.Prompt{
		At: latchkey.StateLogin, Refused: refused, State: encoded,
		Prompt: latchkey.Prompt{Fields: []latchkey.Field{
			{Name: "password", Type: latchkey.FieldPassword, Label: "Password", Autocomplete: "current-password", Required: true},
		}},
	}, nil
}

// takeName finds the homeserver and goes on as it wants people to log in: on
// its own page before all.
func (c *Connector) takeName(ctx context.Context, flow connector.Flow, typed []byte) (connector.Step, error) {
	user, ok := c.parseTyped(typed)
	if !ok {
		return askName(latchkey.FailureInvalidCredentials)
	}
	server, err := c.discover(ctx, flow.HTTP, user)
	if errors.Is(err, errUndiscovered) {
		return askName(latchkey.FailureProviderUnavailable)
	}
	if err != nil {
		return nil, err
	}
	flows, err := c.flows(ctx, flow.HTTP, server)
	if err != nil {
		return nil, err
	}
	l := login{user: user, server: server}
	switch {
	case slices.Contains(flows, flowSSO) && flow.CallbackURL != "":
		return redirect(l, flow)
	case slices.Contains(flows, flowPassword):
		return askPassword(l, "")
	}
	return nil, unusable("the homeserver offers no way to log in that we know")
}

// redirect sends the person to the homeserver's own page
// (client-server API, "Client login via SSO"). What tells the callback to be
// the answer to it goes in the query of the address to return to.
func redirect(l login, flow connector.Flow) (connector.Step, error) {
	encoded, err := l.state(atSSO)
	if err != nil {
		return nil, err
	}
	back, err := url.Parse(flow.CallbackURL)
	if err != nil {
		return nil, errors.New("the callback's address is unreadable")
	}
	query := back.Query()
	query.Set("state", flow.RedirectState)
	back.RawQuery = query.Encode()
	target := endpoint(l.server.base, "v3", "login", "sso", "redirect")
	target.RawQuery = url.Values{"redirectUrl": {back.String()}}.Encode()
	return connector.Redirect{URL: target.String(), State: encoded}, nil
}

// takeCallback trades the login token that the person has brought back.
func (c *Connector) takeCallback(ctx context.Context, flow connector.Flow, l login, query url.Values) (connector.Step, error) {
	if flow.RedirectState == "" || len(query["state"]) != 1 ||
		subtle.ConstantTimeCompare([]byte(query["state"][0]), []byte(flow.RedirectState)) != 1 {
		return nil, &connector.Failure{Code: latchkey.FailureAccessDenied, Reason: "the callback is not the answer to the redirect"}
	}
	tokens := query["loginToken"]
	if len(tokens) != 1 || tokens[0] == "" || len(tokens[0]) > maxLoginToken {
		return nil, &connector.Failure{Code: latchkey.FailureAccessDenied, Reason: "the callback brought no login token"}
	}
	body := new(jsonapi.Object).Word("type", flowToken).Word("token", tokens[0])
	made, verdict, err := c.login(ctx, flow, l, body)
	if err != nil {
		return nil, err
	}
	if verdict == verdictCredentials { // the token was used, or is older than some seconds
		return askName(latchkey.FailureInvalidCredentials)
	}
	return c.done(ctx, flow, l, made)
}

// takePassword tries the password.
func (c *Connector) takePassword(ctx context.Context, flow connector.Flow, l login, password []byte) (connector.Step, error) {
	if len(password) == 0 || len(password) > maxPassword {
		return askPassword(l, latchkey.FailureInvalidCredentials)
	}
	who := new(jsonapi.Object).Word("type", "m.id.user").Word("user", l.user.String())
	body := new(jsonapi.Object).Word("type", flowPassword).Nested("identifier", who).Text("password", password)
	made, verdict, err := c.login(ctx, flow, l, body)
	if errors.Is(err, jsonapi.ErrText) { // no homeserver has such a password
		return askPassword(l, latchkey.FailureInvalidCredentials)
	}
	if err != nil {
		return nil, err
	}
	if verdict == verdictCredentials {
		return askPassword(l, latchkey.FailureInvalidCredentials)
	}
	return c.done(ctx, flow, l, made)
}

// done ends the login with the person and the session.
func (c *Connector) done(ctx context.Context, flow connector.Flow, l login, made session) (connector.Step, error) {
	defer made.zero()
	kept := credential{
		User: made.User, Homeserver: l.server.base.String(), OpenMedia: l.server.openMedia, Access: made.Access,
		Refresh: made.Refresh, base: l.server.base,
	}
	if !c.answersFor(l, made.User) {
		_, _ = c.logout(ctx, flow.HTTP, kept)
		return nil, errors.New("log in: the homeserver answered for another account")
	}
	user, _ := c.look(ctx, flow.HTTP, kept)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	secret, err := kept.encode()
	if err != nil {
		return nil, err
	}
	return connector.Done{User: user, Credential: connector.Credential{
		Secret: secret, ExpiresAt: made.expiry(flow.Now),
	}}, nil
}
