package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"latchkey/internal/app"
)

// moveCommand is `latchkey move`.
type moveCommand struct {
	From    string `help:"Database to copy: a SQLite file, its folder, or postgres://…" required:"" env:"LATCHKEY_MOVE_FROM"`
	To      string `help:"New, empty database: a SQLite file or postgres://…" env:"LATCHKEY_MOVE_TO"`
	Abandon bool   `help:"Let --from take changes again, after a move that was not finished."`
}

// Run moves a database.
func (c moveCommand) Run(terminal *terminal) error {
	if c.Abandon {
		if err := app.AbandonMove(terminal.ctx, c.From); err != nil {
			return err
		}
		_, err := fmt.Fprintln(terminal.out, "the move is abandoned: changes are taken again; throw the target away")
		return err
	}
	if c.To == "" {
		return errors.New("--to is missing")
	}
	last := ""
	counts, err := app.MoveDatabase(terminal.ctx, c.From, c.To, func(table string, _ int64) {
		if table != last {
			_, _ = fmt.Fprintln(terminal.err, "copying", table)
			last = table
		}
	})
	if err != nil {
		return err
	}
	total := int64(0)
	for _, table := range slices.Sorted(maps.Keys(counts)) {
		total += counts[table]
	}
	_, err = fmt.Fprintf(terminal.out, "moved: %d rows in %d tables, the same in both databases.\n"+
		"The old database takes no changes any more. Now stop its servers, put the new one into their configuration, and start them.\n",
		total, len(counts))
	return err
}
