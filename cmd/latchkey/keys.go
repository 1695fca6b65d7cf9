package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/app"
)

// keysCommand is `latchkey keys`.
type keysCommand struct {
	Rotate keysRotateCommand `cmd:"" help:"Begin to use a new key. A running server takes it up and does the rest."`
	Status keysStatusCommand `cmd:"" help:"Say which keys there are and what still needs the old ones."`
}

// keysRotateCommand is `latchkey keys rotate`.
type keysRotateCommand struct {
	Config   string `help:"Configuration file." default:"latchkey.yaml" type:"existingfile"`
	DataKeys bool   `help:"Replace the data keys of the organisations too, and seal every secret anew."`
	Finish   bool   `help:"Do here, now, what a running server would do in the background."`
}

// Run begins a rotation and says how far it is.
func (c keysRotateCommand) Run(terminal *terminal) error {
	return inKeyRoom(terminal, c.Config, func(room *app.KeyRoom) error {
		if err := room.Rotate(terminal.ctx, c.DataKeys); err != nil {
			return err
		}
		if c.Finish {
			if err := room.Finish(terminal.ctx); err != nil {
				return err
			}
		}
		status, err := room.Status(terminal.ctx)
		if err != nil {
			return err
		}
		text := keysText(status)
		if !status.Settled {
			text += "\nA running server does the rest in the background: latchkey keys status\n"
		}
		text += "Back the key file up again now; the copies from before open nothing that is sealed from here on.\n"
		_, err = io.WriteString(terminal.out, text)
		return err
	})
}

// keysStatusCommand is `latchkey keys status`.
type keysStatusCommand struct {
	Config string `help:"Configuration file." default:"latchkey.yaml" type:"existingfile"`
	JSON   bool   `help:"Print one line of JSON."`
}

// Run prints the status.
func (c keysStatusCommand) Run(terminal *terminal) error {
	return inKeyRoom(terminal, c.Config, func(room *app.KeyRoom) error {
		status, err := room.Status(terminal.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			if err := json.MarshalWrite(terminal.out, status, json.Deterministic(true)); err != nil {
				return err
			}
			_, err = io.WriteString(terminal.out, "\n")
			return err
		}
		_, err = io.WriteString(terminal.out, keysText(status))
		return err
	})
}

// inKeyRoom opens the keys of the configured installation for a while.
func inKeyRoom(terminal *terminal, path string, do func(*app.KeyRoom) error) error {
	config, err := app.ReadConfig(path)
	if err != nil {
		return err
	}
	log, err := app.NewLog(app.Config{LogFormat: "text", LogLevel: "warn"}, terminal.err)
	if err != nil {
		return err
	}
	room, err := app.OpenKeyRoom(terminal.ctx, config, log)
	if err != nil {
		return err
	}
	return errors.Join(do(room), room.Close())
}

// keysText is a status for people.
func keysText(status app.KeyStatus) string {
	var text strings.Builder
	for _, key := range status.RingKeys {
		if key.State != latchkey.RingKeyDestroyed {
			fmt.Fprintf(&text, "ring key   %-14s %-9s since %s\n", key.ID, key.State, key.Since.Format("2006-01-02 15:04:05 MST"))
		}
	}
	use := status.Use
	fmt.Fprintf(&text, "data keys  %d, of which %d are retired; %d to be wrapped by the primary\n", use.DataKeys, use.Retired, use.WrappedElse)
	fmt.Fprintf(&text, "secrets    %d to be sealed anew\n", use.SealedByOld+use.SealedByRing)
	switch {
	case status.Settled && use.Retired == 0:
		text.WriteString("settled: no old key is left\n")
	case status.Settled:
		text.WriteString("settled: nothing needs the retired data keys; they are destroyed an hour after they retired\n")
	default:
		text.WriteString("under way\n")
	}
	return text.String()
}
