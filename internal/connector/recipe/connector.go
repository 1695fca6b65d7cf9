package recipe

import (
	"bytes"
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
	// OAuth are the domains of providers that have OAuth: a recipe for one of
	// them, or for a host below it, is refused.
	OAuth []string
	// Learn is told of every value that is saved of an answer, for tools that
	// must not show it; nil: nobody.
	Learn func(name, value string)
}

// Connector is a provider described by a recipe. It keeps nothing in memory
// and is safe for concurrent use.
type Connector struct {
	recipe *Recipe
	now    func() time.Time
	learn  func(name, value string)
}

var (
	_ connector.Connector  = (*Connector)(nil)
	_ connector.Authorizer = (*Connector)(nil)
	_ connector.Keeper     = (*Connector)(nil)
	_ connector.Checker    = (*Connector)(nil)
	_ connector.Refresher  = (*Connector)(nil)
	_ connector.Revoker    = (*Connector)(nil)
	_ connector.Importer   = (*Connector)(nil)
	_ connector.Exporter   = (*Connector)(nil)
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
	if wrong := own.hasOAuth(options.OAuth); wrong != nil {
		return nil, wrong
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Learn == nil {
		options.Learn = func(string, string) {}
	}
	return &Connector{recipe: &own, now: options.Now, learn: options.Learn}, nil
}

// Describe returns the provider's fixed facts.
func (c *Connector) Describe() connector.Description {
	d := connector.Description{
		ID: c.recipe.ID(), Name: c.recipe.Name, Domain: c.recipe.Domain,
		Environments: slices.Clone(c.recipe.Environments), Logo: []byte(c.recipe.Logo),
		CheckEvery: time.Duration(c.recipe.CheckEvery), RequestsPerMinute: c.recipe.RequestsPerMinute,
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
	v.secret = asked.secrets()
	then := outcome{verdict: verdictGoto, name: asked.Next}
	switch input.Action {
	case latchkey.ActionContinue, latchkey.ActionPoll, "":
		if then, ok = v.submitted(asked, input); !ok {
			return v.ask(m.Prompt, m.At, refusal(m.At))
		}
	case latchkey.ActionResend:
		if then.name = asked.Resend; then.name == "" {
			return v.ask(m.Prompt, m.At, "")
		}
	default:
		return nil, fmt.Errorf("a recipe can't %s", input.Action)
	}
	step, err := v.advance(ctx, m, then)
	if _, linked := step.(connector.Done); !linked {
		v.forget()
	}
	return step, err
}

// submitted takes what was submitted for a prompt and returns where that
// leads; false when it can't be right.
func (v *visit) submitted(asked *prompt, input connector.Input) (then outcome, ok bool) {
	if len(asked.Methods) > 0 {
		at := slices.IndexFunc(asked.Methods, func(m method) bool { return m.option == input.Method })
		if at < 0 {
			return then, false
		}
		return asked.Methods[at].then, true
	}
	if v.fields, ok = asked.take(input.Fields); !ok {
		return then, false
	}
	if asked.stays(input.Fields) {
		v.kept = map[string][]byte{}
		for name, value := range v.fields {
			v.kept[name] = bytes.Clone(value)
		}
	}
	return outcome{verdict: verdictGoto, name: asked.Next}, true
}

// advance runs the steps from where the input leads on, and answers with where
// they lead.
func (v *visit) advance(ctx context.Context, m memory, next outcome) (connector.Step, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if next.verdict == verdictGoto {
		var err error
		next, err = v.run(ctx, next.name)
		if errors.Is(err, errUnencodable) { // no provider has such a password
			return v.ask(m.Prompt, m.At, refusal(m.At))
		}
		if err != nil {
			return nil, err
		}
	}
	switch next.verdict {
	case verdictPrompt:
		return v.ask(next.name, latchkey.StateLogin, "")
	case verdictTwoFactor:
		return v.ask(next.name, latchkey.StateTwoFactor, "")
	case verdictWait:
		return v.ask(next.name, latchkey.StateWait, "")
	case verdictRefused:
		return v.ask(m.Prompt, m.At, next.code())
	}
	return v.done(ctx)
}

// ask returns the step that asks a prompt. What is refused while it is waited
// for can't be tried again.
func (v *visit) ask(name string, at latchkey.State, refused latchkey.FailureCode) (connector.Step, error) {
	if at == latchkey.StateWait && refused != "" {
		return nil, &connector.Failure{Code: refused, Reason: "refused at " + name}
	}
	state, err := v.state(name, at)
	if err != nil {
		return nil, err
	}
	p := v.recipe.asked[name]
	question := p.question(at)
	if at == latchkey.StateWait {
		return connector.Wait{After: time.Duration(p.Wait), Prompt: question, State: state}, nil
	}
	return connector.Prompt{At: at, Prompt: question, Refused: refused, State: state}, nil
}

// refusal returns the code for an input that was refused without asking the
// provider.
func refusal(at latchkey.State) latchkey.FailureCode {
	if at == latchkey.StateLogin {
		return latchkey.FailureInvalidCredentials
	}
	return latchkey.FailureTwoFactor
}

// done reads the profile and ends the login.
func (v *visit) done(ctx context.Context) (connector.Step, error) {
	v.fields = nil
	linked, err := v.profile(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	v.since = v.recipe.began(v.now)
	credential, err := v.credential()
	if err != nil {
		return nil, err
	}
	v.forget() // the credential has its own copy
	return connector.Done{User: linked.User, Credential: credential}, nil
}

// forget clears what was taken to log in again.
func (v *visit) forget() {
	for _, value := range v.kept {
		clear(value)
	}
	v.kept = nil
}

// hasOAuth returns the mistake of a recipe for a provider that has OAuth.
func (r *Recipe) hasOAuth(domains []string) error {
	for _, domain := range domains {
		for _, host := range []string{r.Domain, r.base.Hostname()} {
			if domain != "" && ownDomain(domain, host) {
				return &Mistakes{File: r.file, List: []Mistake{{Line: r.domainLine, Text: fmt.Sprintf(
					"domain: %s has OAuth (%s): a recipe must not ask for its passwords; use the OAuth provider", host, domain)}}}
			}
		}
	}
	return nil
}
