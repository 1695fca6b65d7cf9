package main

import (
	"fmt"
	"time"

	"latchkey/internal/app"
)

// backupCommand is `latchkey backup`.
type backupCommand struct {
	Config string `help:"Configuration file." default:"latchkey.yaml" type:"existingfile"`
	To     string `help:"File to write; it must not be there yet." required:"" type:"path"`
}

// Run writes a backup.
func (c backupCommand) Run(terminal *terminal) error {
	config, err := app.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	made, err := app.Backup(terminal.ctx, config, c.To)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(terminal.out, "%s: %s. The vault's key is not in it: keep that elsewhere.\n", c.To, describeBackup(made))
	return err
}

// describeBackup tells in a line what a backup holds.
func describeBackup(made app.BackedUp) string {
	return fmt.Sprintf("%d rows as of %s, schema %d, %d bytes, whole",
		made.Rows, made.MadeAt.Format(time.RFC3339), made.Schema, made.Bytes)
}

// restoreCommand is `latchkey restore`.
type restoreCommand struct {
	Config             string   `help:"Configuration file: where to, and with which key." default:"latchkey.yaml" type:"existingfile"`
	From               string   `help:"Backup to restore." required:"" type:"existingfile"`
	Check              bool     `help:"Only read the backup and say whether it is whole."`
	Revocations        []string `help:"Revocation journal of the old server; may be given several times. Default: that of the configuration, if it is there." type:"existingfile" sep:"none"`
	SinceDatabase      string   `help:"The old database, if it can still be read, to learn what was revoked since: a SQLite file or postgres://…" name:"since-database"`
	WithoutRevocations bool     `help:"Restore though it is not known what was revoked since the backup."`
}

// Run restores a backup into the empty database of the configuration.
func (c restoreCommand) Run(terminal *terminal) error {
	config, err := app.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	if c.Check {
		found, err := app.CheckBackup(terminal.ctx, config, c.From)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(terminal.out, "%s: %s.\n", c.From, describeBackup(found))
		return err
	}
	log, err := app.NewLog(config, terminal.err)
	if err != nil {
		return err
	}
	done, err := app.RestoreBackup(terminal.ctx, config, app.Restore{
		From: c.From, Revocations: c.Revocations, Since: c.SinceDatabase, WithoutRevocations: c.WithoutRevocations,
	}, app.Parts{Log: log})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(terminal.out, "restored: %s\n", describeBackup(done.BackedUp))
	if done.Known {
		_, _ = fmt.Fprintf(terminal.out, "revoked again: %d API keys, %d connections\n", done.Keys, done.Connections)
	} else {
		_, _ = fmt.Fprintf(terminal.out, "NOT KNOWN: what was revoked after %s is valid again. Look through keys and connections before you serve.\n",
			done.MadeAt.Format(time.RFC3339))
	}
	_, err = fmt.Fprintf(terminal.out, "ended: %d link sessions that were open\nnext: latchkey serve --config %s\n", done.Sessions, c.Config)
	return err
}
