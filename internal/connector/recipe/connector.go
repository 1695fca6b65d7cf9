package recipe

import (
	"context"
	_ "embed" // for the logo
	"errors"
	"fmt"
	"slices"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// plainLogo stands in where a recipe brings none.
//
//go:embed logo.svg
var plainLogo []byte

// Options adapt a recipe to where it is used.
type Options struct {
	BaseURL string           // in place of the recipe's own; "": as written
	Now     func() time.Time // for proxied requests, which bring no time; nil: time.Now
}

// Connector is a provider described by a recipe. It keeps nothing in memory
// and is safe for concurrent use.
type Connector struct {
	recipe *Recipe
	now    func() time.Time
}

// There is no Refresher: the provider renews a credential by setting cookies,
// which Keep keeps.
var (
	_ connector.Connector  = (*Connector)(nil)
	_ connector.Authorizer = (*Connector)(nil)
	_ connector.Keeper     = (*Connector)(nil)
	_ connector.Checker    = (*Connector)(nil)
	_ connector.Revoker    = (*Connector)(nil)
)

// New returns the provider that a recipe describes.
func New(recipe *Recipe, options Options) (*Connector, error) {
	own := *recipe
	if options.BaseURL != "" {
		base, err := parseBase(options.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("recipe %s: %w", recipe.ID(), err)
		}
		own.base = base
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Connector{recipe: &own, now: options.Now}, nil
}

// Describe returns the provider's fixed facts.
func (c *Connector) Describe() connector.Description {
	d := connector.Description{
		ID: c.recipe.ID(), Name: c.recipe.Name, Domain: c.recipe.Domain,
		Environments: slices.Clone(c.recipe.Environments), Logo: []byte(c.recipe.Logo),
	}
	if len(d.Logo) == 0 {
		d.Logo = slices.Clone(plainLogo)
	}
	return d
}

// Advance takes a login one step further: it asks, or sends what was submitted
// through the recipe's steps until they ask again or are done.
func (c *Connector) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if len(flow.State) == 0 || input.Action == latchkey.ActionBack {
		return c.visit(flow.HTTP, flow.Now, memory{}).ask(firstPrompt, latchkey.StateLogin, "")
	}
	m, err := c.recipe.remember(flow.State)
	if err != nil {
		return nil, err
	}
	asked, ok := c.recipe.asked[m.Prompt]
	if !ok {
		return nil, fmt.Errorf("prompt %q is not in the recipe any more", m.Prompt)
	}
	v := c.visit(flow.HTTP, flow.Now, m)
	next := asked.Next
	switch input.Action {
	case latchkey.ActionContinue, "":
		if v.fields, ok = asked.take(input.Fields); !ok {
			return v.ask(m.Prompt, m.At, refusal(m.At))
		}
	case latchkey.ActionResend:
		if next = asked.Resend; next == "" {
			return v.ask(m.Prompt, m.At, "")
		}
	default:
		return nil, fmt.Errorf("a recipe can't %s", input.Action)
	}
	return v.advance(ctx, m, next)
}

// advance runs the steps from one on, and answers with where they lead.
func (v *visit) advance(ctx context.Context, m memory, step string) (connector.Step, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	next, err := v.run(ctx, step)
	if errors.Is(err, errUnencodable) { // no provider has such a password
		return v.ask(m.Prompt, m.At, refusal(m.At))
	}
	if err != nil {
		return nil, err
	}
	switch next.verdict {
	case verdictPrompt:
		return v.ask(next.name, latchkey.StateLogin, "")
	case verdictTwoFactor:
		return v.ask(next.name, latchkey.StateTwoFactor, "")
	case verdictRefused:
		return v.ask(m.Prompt, m.At, next.code())
	}
	return v.done(ctx)
}

// ask returns the step that asks a prompt.
func (v *visit) ask(name string, at latchkey.State, refused latchkey.FailureCode) (connector.Step, error) {
	state, err := v.state(name, at)
	if err != nil {
		return nil, err
	}
	return connector.Prompt{At: at, Prompt: v.recipe.asked[name].question(at), Refused: refused, State: state}, nil
}

// refusal returns the code for an input that was refused without asking the
// provider.
func refusal(at latchkey.State) latchkey.FailureCode {
	if at == latchkey.StateTwoFactor {
		return latchkey.FailureTwoFactor
	}
	return latchkey.FailureInvalidCredentials
}

// done reads the profile and ends the login.
func (v *visit) done(ctx context.Context) (connector.Step, error) {
	v.fields = nil
	linked, err := v.profile(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	credential, err := v.credential()
	if err != nil {
		return nil, err
	}
	return connector.Done{User: linked.User, Credential: credential}, nil
}
