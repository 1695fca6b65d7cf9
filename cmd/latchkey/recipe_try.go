package main

import (
	"fmt"
	"time"

	"latchkey"
	"latchkey/internal/app"
)

// provided are the flags of the commands that go to a provider.
type provided struct {
	BaseURL string `help:"Where the provider is, in place of the recipe's base_url." name:"base-url"`
	Dev     bool   `help:"Allow a provider on this computer, and plain http."`
	JSON    bool   `help:"Print lines of JSON; answers are read from the standard input, a line each."`
}

// tryCommand is `latchkey recipe try`.
type tryCommand struct {
	File string `arg:"" help:"Recipe." type:"existingfile"`
	provided
}

// Run asks, shows and says who was linked.
func (c tryCommand) Run(terminal *terminal) error {
	result, err := app.TryRecipe(terminal.ctx, c.with(terminal, c.File))
	if result.User.ID != "" {
		c.printResult(terminal, result)
	}
	return err
}

// with returns a try that asks and shows in the terminal.
func (c provided) with(terminal *terminal, file string) app.RecipeTry {
	show := func(exchange app.RecipeExchange) { printExchange(terminal, exchange) }
	tell := func(what string) { _, _ = fmt.Fprintf(terminal.err, "… %s\n", what) }
	if c.JSON {
		show = func(exchange app.RecipeExchange) { printJSON(terminal, exchangeLine{Exchange: shown(exchange)}) }
	}
	return app.RecipeTry{
		Path: file, BaseURL: c.BaseURL, Development: c.Dev, Ask: newAsker(terminal).ask, Show: show, Tell: tell,
	}
}

// resultLine is what --json prints at the end.
type resultLine struct {
	Linked    latchkey.UserData `json:"linked"`
	ExpiresAt string            `json:"expiresAt,omitzero"` // RFC 3339, UTC
}

func (c provided) printResult(terminal *terminal, result app.RecipeResult) {
	line := resultLine{Linked: result.User}
	if !result.ExpiresAt.IsZero() {
		line.ExpiresAt = result.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if c.JSON {
		printJSON(terminal, line)
		return
	}
	_, _ = fmt.Fprintf(terminal.out, "\nlinked %s (%s), id %s\n", line.Linked.Username, line.Linked.Name, line.Linked.ID)
	if line.ExpiresAt != "" {
		_, _ = fmt.Fprintf(terminal.out, "the session lasts until %s\n", line.ExpiresAt)
	}
}

// recordCommand is `latchkey recipe record`.
type recordCommand struct {
	File string `arg:"" help:"Recipe." type:"existingfile"`
	Out  string `help:"Folder to make for the recording." required:"" type:"path"`
	provided
}

// Run logs in and keeps the exchanges.
func (c recordCommand) Run(terminal *terminal) error {
	result, err := app.RecordRecipe(terminal.ctx, c.with(terminal, c.File), c.Out)
	if err != nil {
		return err
	}
	c.printResult(terminal, result)
	if !c.JSON {
		_, _ = fmt.Fprintf(terminal.out, "recorded in %s; look through it for what is personal before you give it away\n", c.Out)
	}
	return nil
}

// replayCommand is `latchkey recipe replay`.
type replayCommand struct {
	File   string `arg:"" help:"Recipe." type:"existingfile"`
	Folder string `arg:"" help:"Folder of a recording." type:"existingdir"`
}

// Run replays and says who was linked.
func (c replayCommand) Run(terminal *terminal) error {
	result, err := app.ReplayRecipe(terminal.ctx, c.File, c.Folder)
	if err != nil {
		return err
	}
	provided{}.printResult(terminal, result)
	return nil
}
