package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// The notes that a copy leaves in the table meta until it is finished.
const (
	unfinishedNote = "unfinished"
	progressNote   = "progress/" // and the table's name
)

// refuseUnfinished fails for a database that is still being filled: to serve
// half of what there was would be worse than to serve nothing.
func refuseUnfinished(ctx context.Context, run reader) error {
	var what []byte
	err := run.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, unfinishedNote).Scan(&what)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for an unfinished copy: %w", err)
	}
	action, _, _ := strings.Cut(string(what), " ")
	if action != "restore" && action != "move" {
		action = "copy"
	}
	return fmt.Errorf("this database is the target of a %s that was not finished: run it again", action)
}
