package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"

	"latchkey/internal/app"
)

// providersCommand is `latchkey providers`.
type providersCommand struct {
	List providersListCommand `cmd:"" help:"List the well-known OAuth providers of the catalogue."`
	Show providersShowCommand `cmd:"" help:"Show a provider, what to register there and what to put into latchkey.yaml."`
	Lint providersLintCommand `cmd:"" help:"Check files of providers of your own."`
}

// providersListCommand is `latchkey providers list`.
type providersListCommand struct {
	JSON bool `help:"Print one JSON array."`
}

// Run prints the catalogue.
func (c providersListCommand) Run(terminal *terminal) error {
	list := app.CataloguedProviders()
	if c.JSON {
		return json.MarshalWrite(terminal.out, list)
	}
	var page strings.Builder
	for _, provider := range list {
		permissions := strings.Join(provider.Permissions, " ")
		if permissions == "" {
			permissions = "-"
		}
		fmt.Fprintf(&page, "%-13s %-14s %s\n", provider.ID, provider.Name, permissions)
	}
	fmt.Fprintf(&page, "\n%d providers, %s.\n", len(list), app.CatalogueNote)
	page.WriteString("Next: latchkey providers show ID\n")
	_, err := io.WriteString(terminal.out, page.String())
	return err
}

// providersShowCommand is `latchkey providers show`.
type providersShowCommand struct {
	ID     string `arg:"" help:"Id of the provider."`
	Config string `help:"Configuration file, to show the callback URLs of your organisations, and providers of your own." type:"existingfile"`
	YAML   bool   `help:"Print the catalogue's file, to begin one of your own with."`
}

// Run prints the provider.
func (c providersShowCommand) Run(terminal *terminal) error {
	if c.YAML {
		text, err := app.ProviderFile(c.ID)
		if err != nil {
			return err
		}
		_, err = terminal.out.Write(text)
		return err
	}
	var config *app.Config
	if c.Config != "" {
		read, err := app.ReadConfig(c.Config)
		if err != nil {
			return err
		}
		config = &read
	}
	return app.ShowProvider(terminal.ctx, terminal.out, c.ID, config)
}

// providersLintCommand is `latchkey providers lint`.
type providersLintCommand struct {
	File []string `arg:"" help:"Files of providers."`
}

// Run prints every mistake and every doubt, and fails when there is a mistake.
func (c providersLintCommand) Run(terminal *terminal) error {
	wrong := 0
	for _, path := range c.File {
		mistakes, doubts, err := app.InspectProvider(path)
		if err != nil {
			return err
		}
		for _, mistake := range mistakes {
			_, _ = fmt.Fprintln(terminal.out, mistake)
		}
		for _, doubt := range doubts {
			_, _ = fmt.Fprintln(terminal.out, doubt+" (a hint)")
		}
		wrong += len(mistakes)
		if len(mistakes) == 0 {
			_, _ = fmt.Fprintln(terminal.out, path+": no mistakes")
		}
	}
	switch wrong {
	case 0:
		return nil
	case 1:
		return errors.New("1 mistake")
	}
	return fmt.Errorf("%d mistakes", wrong)
}
