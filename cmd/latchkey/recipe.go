package main

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"latchkey/internal/app"
)

// recipeCommand is `latchkey recipe`.
type recipeCommand struct {
	Lint   lintCommand   `cmd:"" help:"Say every mistake of a recipe that can be found without its provider."`
	Try    tryCommand    `cmd:"" help:"Log in at the provider as a recipe says, and show each exchange with the secrets blanked."`
	Record recordCommand `cmd:"" help:"Log in and keep the exchanges, scrubbed, to be replayed."`
	Replay replayCommand `cmd:"" help:"Run a recipe against a recording, without its provider."`
	Schema schemaCommand `cmd:"" help:"Print the JSON schema of recipes, for editors."`
}

// lintCommand is `latchkey recipe lint`.
type lintCommand struct {
	File []string `arg:"" help:"Recipe."`
	JSON bool     `help:"Print the mistakes as lines of JSON."`
}

// Run prints each mistake with its place. With none it says so.
func (c lintCommand) Run(terminal *terminal) error {
	count := 0
	for _, file := range c.File {
		mistakes, err := app.LintRecipe(file)
		if err != nil {
			return err
		}
		count += len(mistakes)
		for _, mistake := range mistakes {
			if c.JSON {
				printJSON(terminal, mistake)
				continue
			}
			_, _ = fmt.Fprintf(terminal.out, "%s:%d: %s\n", mistake.File, mistake.Line, mistake.Text)
		}
		if len(mistakes) == 0 && !c.JSON {
			_, _ = fmt.Fprintf(terminal.out, "%s: no mistakes\n", file)
		}
	}
	switch count {
	case 0:
		return nil
	case 1:
		return errors.New("1 mistake")
	}
	return fmt.Errorf("%d mistakes", count)
}

// schemaCommand is `latchkey recipe schema`.
type schemaCommand struct{}

// Run prints the schema.
func (schemaCommand) Run(terminal *terminal) error {
	_, err := terminal.out.Write(app.RecipeSchema())
	return err
}

// printJSON prints a value as a line of JSON.
func printJSON(terminal *terminal, value any) {
	if line, err := json.Marshal(value, json.Deterministic(true)); err == nil {
		_, _ = fmt.Fprintf(terminal.out, "%s\n", line)
	}
}
