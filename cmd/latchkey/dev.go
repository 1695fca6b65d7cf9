package main

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/app"
)

// devCommand is `latchkey dev`.
type devCommand struct {
	Listen      string   `help:"Address to serve on." default:"127.0.0.1:8080"`
	Data        string   `help:"Folder of the database and the key." default:"./latchkey-data" type:"path"`
	DatabaseURL string   `help:"A PostgreSQL in place of the embedded database: postgres://…" name:"database-url"`
	Recipe      []string `help:"File of a provider described by a recipe; may be given several times." type:"existingfile"`
	Providers   string   `help:"File with OAuth providers and your clients there, as the key providers of a configuration." type:"existingfile"`
	JSON        bool     `help:"Print one line of JSON when ready, and the log as JSON."`
}

// readyLine is what --json prints when the server is ready.
type readyLine struct {
	Ready      bool                        `json:"ready"`
	APIURL     string                      `json:"apiUrl"`
	LinkURL    string                      `json:"linkUrl"`
	APIKey     string                      `json:"apiKey"`
	ClientApps map[latchkey.AppType]string `json:"clientApps"`
}

// Run serves until it is interrupted.
func (c devCommand) Run(terminal *terminal) error {
	listener, err := app.Listen(terminal.ctx, c.Listen)
	if err != nil {
		return err
	}
	base := "http://" + listener.Addr().String()
	config := app.Config{
		Listen: c.Listen, APIURL: base, Data: c.Data, DatabaseURL: c.DatabaseURL, Recipes: c.Recipe,
		Development: true, LogFormat: "text", LogLevel: "info",
	}
	if c.JSON {
		config.LogFormat = "json"
	}
	if c.Providers != "" {
		if config.Providers, err = app.ReadProviders(c.Providers); err != nil {
			return err
		}
	}
	log, err := app.NewLog(config, terminal.err)
	if err != nil {
		return err
	}
	latch, err := app.New(terminal.ctx, config, app.Parts{Log: log})
	if err != nil {
		return err
	}
	trial, err := latch.Trial(terminal.ctx)
	if err != nil {
		return err
	}
	if err := latch.Demo(trial); err != nil {
		return err
	}
	return latch.Serve(terminal.ctx, listener, func() {
		if c.JSON {
			c.printJSON(terminal, base, trial)
		} else {
			c.print(terminal, base, trial)
		}
	})
}

func (c devCommand) printJSON(terminal *terminal, base string, trial app.Trial) {
	line, err := json.Marshal(readyLine{
		Ready: true, APIURL: base, LinkURL: base, APIKey: trial.APIKey, ClientApps: trial.ClientApps,
	}, json.Deterministic(true))
	if err == nil {
		_, _ = fmt.Fprintf(terminal.out, "%s\n", line)
	}
}

func (c devCommand) print(terminal *terminal, base string, trial app.Trial) {
	_, _ = fmt.Fprintf(terminal.out, `
Latchkey is ready at %[1]s   (sandbox; data in %[2]s; stop with Ctrl-C)

  API key      %[3]s
  client apps  redirect    %[4]s
               embed       %[5]s
               whitelabel  %[6]s

Ask for a link:

  curl -s %[1]s/v2/link/init -H "apikey: %[3]s" \
    -H "Content-Type: application/json" -d '{"clientAppId":"%[4]s","clientReferenceId":"user_1"}'

Open the "url" of the answer and sign in as
  you@creator.sandbox.com       password good-password
  you@creator-otp.sandbox.com   password good-password, then code 123456

Or see it all in a demo shop: %[1]s/demo

`, base, c.Data, trial.APIKey, trial.ClientApps[latchkey.AppRedirect], trial.ClientApps[latchkey.AppEmbed],
		trial.ClientApps[latchkey.AppWhitelabel])
}
