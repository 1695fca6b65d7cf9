package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/all"
	"latchkey/internal/connector/recipe"
	"latchkey/internal/egress"
	"latchkey/internal/tape"
)

// RecipeMistake is something in a recipe file that must be changed.
type RecipeMistake struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1
	Text string `json:"text"` // what is wrong, and what to do
}

// LintRecipe returns every mistake of a recipe file that can be found without
// its provider, and an error when the file can't be read.
func LintRecipe(path string) ([]RecipeMistake, error) {
	_, err := readRecipe(path, recipe.Options{OAuth: oauthDomains(all.Connectors(time.Now))})
	wrong, ok := errors.AsType[*recipe.Mistakes](err)
	if !ok {
		return nil, err
	}
	mistakes := make([]RecipeMistake, len(wrong.List))
	for i, mistake := range wrong.List {
		mistakes[i] = RecipeMistake{File: wrong.File, Line: mistake.Line, Text: mistake.Text}
	}
	return mistakes, nil
}

// RecipeSchema returns the JSON schema of recipes, for editors.
func RecipeSchema() []byte { return recipe.Schema() }

// RecipeExchange is one request to a provider and its answer, as it may be
// shown.
type RecipeExchange = tape.Exchange

// RecipeQuestion is what a recipe asks of the person.
type RecipeQuestion struct {
	Prompt  latchkey.Prompt
	Refused latchkey.FailureCode // why the last answer was refused; "" for a new question
}

// RecipeAnswer is what the person submits: fields, or a method where the
// question offers several, or an action such as resend.
type RecipeAnswer struct {
	Action latchkey.Action // "": continue
	Method string
	Fields map[string]latchkey.Secret
}

// RecipeTry says how a recipe is tried at its provider. Ask is called for every
// question, Show for every exchange, Tell for what else happens. Their calls
// never overlap.
type RecipeTry struct {
	Path        string
	BaseURL     string // in place of the recipe's own; "": as written
	Development bool   // allow plain http and this computer as the provider
	Ask         func(ctx context.Context, question RecipeQuestion) (RecipeAnswer, error)
	Show        func(RecipeExchange)
	Tell        func(what string)
}

// RecipeResult is what came of a try.
type RecipeResult struct {
	User      latchkey.UserData
	ExpiresAt time.Time // when the session ends or must be renewed; zero: unknown
}

// resultOf tells what came of a login.
func resultOf(done connector.Done) RecipeResult {
	return RecipeResult{User: done.User, ExpiresAt: cmp.Or(done.Credential.ExpiresAt, done.Credential.EndsAt)}
}

// trial is a recipe that is being tried.
type trial struct {
	RecipeTry
	provider *recipe.Connector
	watcher  *tape.Watcher
	client   *http.Client
	scrubber *tape.Scrubber
	secrets  *tape.Scrubber // knows also what people may see, as names; nil: nobody records
	fixture  tape.Fixture
	now      func() time.Time

	skipsWaits bool // a recorded login is not waited for
}

// TryRecipe logs in at the provider as the recipe says, asks who that is, makes
// the session live on and ends it: what a connection does in its life. Nothing
// is stored.
func TryRecipe(ctx context.Context, try RecipeTry) (RecipeResult, error) {
	way := egress.New(egress.Config{AllowLoopback: try.Development})
	defer way.Close()
	t, err := newTrial(try, way.Client(egress.Provider), time.Now)
	if err != nil {
		return RecipeResult{}, err
	}
	done, err := t.login(ctx)
	if err != nil {
		return RecipeResult{}, err
	}
	defer clear(done.Credential.Secret)
	return resultOf(done), t.live(ctx, done.Credential)
}

// newTrial reads the recipe and puts a watcher into the way out.
func newTrial(try RecipeTry, way *http.Client, now func() time.Time) (*trial, error) {
	t := &trial{RecipeTry: try, scrubber: tape.ForShow(), now: now}
	read, err := readRecipe(try.Path, recipe.Options{
		BaseURL: try.BaseURL, Now: now, OAuth: oauthDomains(all.Connectors(now)), Learn: t.learn,
	})
	if err != nil {
		return nil, err
	}
	t.provider = read
	t.watcher = tape.Watch(way.Transport)
	t.client = &http.Client{Transport: t.watcher, Timeout: way.Timeout}
	return t, nil
}

// learn keeps a secret out of what is shown and recorded.
func (t *trial) learn(name, secret string) {
	t.scrubber.Add(name, secret)
	if t.secrets != nil {
		t.secrets.Add(name, secret)
	}
}

// login goes from question to question until somebody is linked.
func (t *trial) login(ctx context.Context) (connector.Done, error) {
	var input connector.Input
	var state []byte
	for {
		step, err := t.provider.Advance(ctx, connector.Flow{
			SessionID: "recipe-try", Environment: latchkey.Sandbox, State: state, HTTP: t.client, Now: t.now(),
		}, input)
		latchkey.ZeroAll(input.Fields)
		t.show()
		if err != nil {
			return connector.Done{}, t.explained(err)
		}
		switch step := step.(type) {
		case connector.Done:
			return step, nil
		case connector.Prompt:
			state = step.State
			input, err = t.ask(ctx, RecipeQuestion{Prompt: step.Prompt, Refused: step.Refused})
		case connector.Wait:
			state = step.State
			input, err = t.wait(ctx, step)
		default:
			err = fmt.Errorf("the recipe answers with %T", step)
		}
		if err != nil {
			return connector.Done{}, err
		}
	}
}

// explained adds to an error what it means for a link.
func (t *trial) explained(err error) error {
	if failure, ok := errors.AsType[*connector.Failure](err); ok {
		return fmt.Errorf("the login is over: %s", failure)
	}
	if errors.Is(err, connector.ErrBlocked) {
		return fmt.Errorf("provider_unavailable, and nobody tries again for a while: %w", err)
	}
	return fmt.Errorf("provider_unavailable: %w", err)
}

// ask asks the person, and learns what they submit in secret.
func (t *trial) ask(ctx context.Context, question RecipeQuestion) (connector.Input, error) {
	answer, err := t.Ask(ctx, question)
	if err != nil {
		return connector.Input{}, err
	}
	if answer.Action == "" {
		answer.Action = latchkey.ActionContinue
	}
	for _, field := range question.Prompt.Fields {
		value := string(answer.Fields[field.Name].Reveal())
		switch {
		case field.Type == latchkey.FieldCheckbox:
			continue
		case field.Type == latchkey.FieldText:
			t.scrubber.Open(value)
		default:
			t.scrubber.Add(field.Name, value)
		}
		if t.secrets != nil && value != "" && len(value) < tape.Shortest {
			return connector.Input{}, fmt.Errorf("%s: use a test account whose %s has at least %d letters: shorter ones can't be told from the text around them",
				field.Name, field.Name, tape.Shortest)
		}
		if t.secrets != nil {
			t.secrets.Add(field.Name, value)
		}
	}
	t.remember(answer)
	return connector.Input{Action: answer.Action, Method: answer.Method, Fields: answer.Fields}, nil
}

// wait lets the time pass after which another look is worth it.
func (t *trial) wait(ctx context.Context, step connector.Wait) (connector.Input, error) {
	t.Tell(step.Prompt.Message)
	after := step.After
	if t.skipsWaits {
		after = 0
	}
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return connector.Input{}, ctx.Err()
	case <-timer.C:
	}
	t.remember(RecipeAnswer{Action: latchkey.ActionPoll})
	return connector.Input{Action: latchkey.ActionPoll}, nil
}

// show shows what has passed, once all that is secret in it is known.
func (t *trial) show() {
	seen := t.watcher.Take()
	for _, exchange := range seen {
		t.scrubber.Learn(exchange)
		if t.secrets != nil {
			t.secrets.Learn(exchange)
			t.secrets.LearnAddresses(exchange)
		}
	}
	for _, exchange := range seen {
		t.Show(t.scrubber.Exchange(exchange))
	}
	t.fixture.Exchanges = append(t.fixture.Exchanges, seen...)
}

// live does with a credential what a connection does in its life.
func (t *trial) live(ctx context.Context, credential connector.Credential) error {
	access := connector.Access{ConnectionID: "recipe-try", Credential: credential.Secret, HTTP: t.client, Now: t.now()}
	t.Tell("check")
	_, err := t.provider.Check(ctx, access)
	t.show()
	if err == nil {
		t.Tell("renew")
		var renewed connector.Credential
		renewed, err = t.provider.Refresh(ctx, access)
		t.show()
		if err == nil {
			defer clear(renewed.Secret)
			access.Credential = renewed.Secret
		}
	}
	t.Tell("log out")
	left := t.provider.Revoke(ctx, access)
	t.show()
	if err != nil {
		return err
	}
	return left
}
