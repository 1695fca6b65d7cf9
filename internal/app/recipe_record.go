package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/egress"
	"latchkey/internal/tape"
)

// RecordRecipe tries a recipe and keeps the login as files in a new folder,
// scrubbed of everything that was submitted, of cookies and of tokens. Then it
// hunts for them in the files and replays them; what leaks or can't be
// replayed is removed, with an error.
func RecordRecipe(ctx context.Context, try RecipeTry, folder string) (RecipeResult, error) {
	way := egress.New(egress.Config{AllowLoopback: try.Development})
	defer way.Close()
	began := time.Now()
	t, err := newTrial(try, way.Client(egress.Provider), time.Now)
	if err != nil {
		return RecipeResult{}, err
	}
	t.secrets, t.fixture.At = tape.ForRecord(), began
	done, err := t.login(ctx)
	if err != nil {
		return RecipeResult{}, err
	}
	defer clear(done.Credential.Secret)
	t.fixture.User = tape.User(done.User)
	recorded := t.fixture
	if err := t.provider.Revoke(ctx, connector.Access{
		ConnectionID: "recipe-record", Credential: done.Credential.Secret, HTTP: t.client, Now: time.Now(),
	}); err != nil {
		return RecipeResult{}, err
	}
	if err := tape.Save(folder, recorded, t.secrets); err != nil {
		return RecipeResult{}, err
	}
	if _, err := ReplayRecipe(ctx, try.Path, folder); err != nil {
		return RecipeResult{}, errors.Join(
			fmt.Errorf("the recording can't be replayed, perhaps because a name of the test account also stands elsewhere; use a rarer one: %w", err),
			tape.Remove(folder))
	}
	return resultOf(done), nil
}

// remember keeps what was submitted, for the recording.
func (t *trial) remember(answer RecipeAnswer) {
	if t.secrets == nil {
		return
	}
	kept := tape.Answer{Action: string(answer.Action), Method: answer.Method, Fields: map[string]string{}}
	for name, value := range answer.Fields {
		kept.Fields[name] = t.secrets.Text(string(value.Reveal()))
	}
	t.fixture.Answers = append(t.fixture.Answers, kept)
}

// ReplayRecipe runs a recipe against a recorded login, without its provider. It
// is an error when the recipe asks for anything else than was recorded, or
// links somebody else.
func ReplayRecipe(ctx context.Context, path, folder string) (RecipeResult, error) {
	fixture, err := tape.Load(folder)
	if err != nil {
		return RecipeResult{}, err
	}
	player := tape.Play(fixture)
	answers := fixture.Answers
	try := RecipeTry{
		Path: path, Show: func(RecipeExchange) {}, Tell: func(string) {},
		Ask: func(context.Context, RecipeQuestion) (RecipeAnswer, error) { return takeAnswer(&answers) },
	}
	t, err := newTrial(try, &http.Client{Transport: player}, func() time.Time { return fixture.At })
	if err != nil {
		return RecipeResult{}, err
	}
	t.skipsWaits = true
	done, err := t.login(ctx)
	if err != nil {
		return RecipeResult{}, err
	}
	defer clear(done.Credential.Secret)
	switch {
	case player.Left() > 0:
		return RecipeResult{}, fmt.Errorf("%d recorded requests were not sent", player.Left())
	case tape.User(done.User) != fixture.User:
		return RecipeResult{}, errors.New("the recipe reads another account than was recorded out of the answers")
	}
	return resultOf(done), nil
}

// takeAnswer returns the next recorded answer that was not a mere look.
func takeAnswer(answers *[]tape.Answer) (RecipeAnswer, error) {
	for len(*answers) > 0 {
		next := (*answers)[0]
		*answers = (*answers)[1:]
		if latchkey.Action(next.Action) == latchkey.ActionPoll {
			continue
		}
		answer := RecipeAnswer{Action: latchkey.Action(next.Action), Method: next.Method, Fields: map[string]latchkey.Secret{}}
		for name, value := range next.Fields {
			answer.Fields[name] = latchkey.NewSecret([]byte(value))
		}
		return answer, nil
	}
	return RecipeAnswer{}, errors.New("the recipe asks once more than was recorded")
}
