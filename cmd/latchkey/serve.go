package main

import (
	"fmt"
	"strings"

	"latchkey"
	"latchkey/internal/app"
)

// serveCommand is `latchkey serve`.
type serveCommand struct {
	Config string `help:"Configuration file." default:"latchkey.yaml" type:"existingfile"`
}

// Run serves until it is interrupted.
func (c serveCommand) Run(terminal *terminal) error {
	if err := clobberFreed(); err != nil {
		return err
	}
	if err := harden(); err != nil {
		return err
	}
	config, err := app.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	log, err := app.NewLog(config, terminal.err)
	if err != nil {
		return err
	}
	latch, err := app.New(terminal.ctx, config, app.Parts{Log: log})
	if err != nil {
		return err
	}
	listener, err := app.Listen(terminal.ctx, latch.Address())
	if err != nil {
		return err
	}
	return latch.Serve(terminal.ctx, listener, func() {
		log.Info("ready", "address", listener.Addr().String())
	})
}

// setupCommand is `latchkey setup`.
type setupCommand struct {
	Config       string   `help:"Configuration file." default:"latchkey.yaml" type:"existingfile"`
	Organisation string   `help:"Name of the organisation." required:""`
	Name         string   `help:"Name of the client app, as people will see it; unlike the API it takes symbols and mixed scripts." required:""`
	Domain       string   `help:"Domain of the client app, as people will see it." required:""`
	RedirectURI  []string `help:"Where people may be sent back to; may be given several times. One on this computer is for the sandbox alone." name:"redirect-uri" sep:"none"`
	Provider     []string `help:"Provider that the app may link; may be given several times. Default: all."`
	Permission   []string `help:"Permission and its purpose, as name=purpose; may be given several times." sep:"none"`
}

// Run makes the organisation and prints its keys, once.
func (c setupCommand) Run(terminal *terminal) error {
	config, err := app.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	wanted := app.Setup{
		Organisation: c.Organisation, AppName: c.Name, Domain: c.Domain, RedirectURIs: c.RedirectURI,
		Providers: c.Provider,
	}
	for _, text := range c.Permission {
		name, purpose, ok := strings.Cut(text, "=")
		if !ok || name == "" || purpose == "" {
			return fmt.Errorf("--permission must be like profile:read=\"to greet you\"")
		}
		wanted.Permissions = append(wanted.Permissions, latchkey.Permission{Name: name, Purpose: purpose})
	}
	latch, err := app.New(terminal.ctx, config, app.Parts{})
	if err != nil {
		return err
	}
	made, err := latch.Setup(terminal.ctx, wanted)
	if stopped := latch.Stop(terminal.ctx); err == nil {
		err = stopped
	}
	if err != nil {
		return err
	}
	for _, environment := range made {
		_, _ = fmt.Fprintf(terminal.out, "%-8s key %s   client app %s\n",
			environment.Environment, environment.Key, environment.ClientAppID)
	}
	_, _ = fmt.Fprintln(terminal.out, "The keys are shown this once. Keep them where your backend finds them; next: latchkey serve")
	return nil
}
