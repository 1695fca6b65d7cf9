// Command latchkey is an account-linking server.
//
//	latchkey dev         try it: everything on one embedded database
//	latchkey setup       make an organisation, a client app and keys
//	latchkey serve       run it
//	latchkey backup      write the database to a file
//	latchkey restore     fill an empty database from it
//	latchkey move        copy everything into another database
//	latchkey recipe      write a provider: lint, try, record, replay
//	latchkey keys        rotate the vault's keys, and see how far that is
//	latchkey audit       verify the record of who did what
//	latchkey providers   find an OAuth provider, and what to register there
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands are what the command line understands.
type commands struct {
	Dev       devCommand       `cmd:"" help:"Try Latchkey: everything on one embedded database, with a sandbox ready to use."`
	Setup     setupCommand     `cmd:"" help:"Make an organisation with a client app and a key for each environment."`
	Serve     serveCommand     `cmd:"" help:"Run Latchkey in production."`
	Backup    backupCommand    `cmd:"" help:"Write the database to a file, while it is served."`
	Restore   restoreCommand   `cmd:"" help:"Fill an empty database from a backup, and revoke again what was revoked since."`
	Move      moveCommand      `cmd:"" help:"Copy everything into another database, of either engine, while reads go on."`
	Recipe    recipeCommand    `cmd:"" help:"Write a provider as a file: check it, try it, record it."`
	Providers providersCommand `cmd:"" help:"Find an OAuth provider, and check one of your own."`
	Keys      keysCommand      `cmd:"" help:"Rotate the vault's keys while a server runs, and see how far that is."`
	Audit     auditCommand     `cmd:"" help:"Verify the record of who did what."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// terminal is where commands read and write.
type terminal struct {
	ctx context.Context
	in  *os.File
	out io.Writer // what was asked for
	err io.Writer // the log
}

func main() { os.Exit(run()) }

// run is main with its exit status: 0, or 1 when the command failed, or 80
// when the command line made no sense.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends at once
	// Libraries print to the default log what they were not asked for: net/http
	// the bytes of an answer that came unasked. Ours is handed to each room.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	var line commands
	parser := kong.Must(&line, kong.Name("latchkey"),
		kong.Description("An account-linking server: your users link accounts, your backend never holds a credential."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	parsed, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if err := parsed.Run(&terminal{ctx: ctx, in: os.Stdin, out: os.Stdout, err: os.Stderr}); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "latchkey: %v\n", err)
		return 1
	}
	return 0
}

// versionCommand is `latchkey version`.
type versionCommand struct{}

// Run prints the version that the build carries.
func (versionCommand) Run(terminal *terminal) error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version + " " + info.GoVersion
	}
	_, err := fmt.Fprintln(terminal.out, "latchkey", version)
	return err
}
