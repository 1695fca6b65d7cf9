package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"latchkey"
	"latchkey/internal/store/dump"
)

// frozenText is what the engines answer to a write of a database that is being
// moved. It is in their triggers, so every process hears it, whatever its
// release, and writing costs nothing more while nothing is moved.
const frozenText = "latchkey: the database is being moved"

// frozenRetry is when a refused caller may ask again, in seconds.
const frozenRetry = 30

// Attempts to take the locks of all tables at once, and the pause between them.
const (
	freezeTries = 60
	freezeWait  = 500 * time.Millisecond
)

// explainFrozen turns the refusal of a database that is being moved into what
// the caller is told.
func explainFrozen(err error) error {
	if err == nil || !strings.Contains(err.Error(), frozenText) {
		return err
	}
	return &latchkey.Error{
		Code: latchkey.NetworkFailed, Message: "nothing can be changed while the database is being moved; try again later",
		RetryAfter: frozenRetry, Err: err,
	}
}

// stillWritten are the tables that uses of connections write to. They stay open
// until the end of a move.
var stillWritten = []string{"audit", "audit_chains"}

// freeze lets the database refuse every change. Facts under way finish first.
// With all unset, what uses of connections write is still taken.
func freeze(ctx context.Context, config Config, tables []dump.Table, all bool) error {
	var statements []string
	if config.URL != "" {
		statements = append(statements, `SET LOCAL lock_timeout = '2s'`,
			`CREATE OR REPLACE FUNCTION latchkey_frozen() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION '`+frozenText+`'; END $$`)
	}
	for _, table := range tables {
		if !all && slices.Contains(stillWritten, table.Name) {
			continue
		}
		statements = append(statements, freezing(table.Name, config.URL != "")...)
	}
	return changeTriggers(ctx, config, statements)
}

func freezing(table string, postgres bool) []string {
	if postgres {
		return []string{`CREATE OR REPLACE TRIGGER latchkey_frozen BEFORE INSERT OR UPDATE OR DELETE ON ` + table +
			` FOR EACH ROW EXECUTE FUNCTION latchkey_frozen()`}
	}
	var statements []string
	for _, change := range []string{"INSERT", "UPDATE", "DELETE"} {
		statements = append(statements, `CREATE TRIGGER IF NOT EXISTS latchkey_frozen_`+table+`_`+strings.ToLower(change)+
			` BEFORE `+change+` ON `+table+` BEGIN SELECT RAISE(ABORT, '`+frozenText+`'); END`)
	}
	return statements
}

// Thaw lets a database take changes again whose move was abandoned. It must
// never be called after a move: the other database has gone on by then.
func Thaw(ctx context.Context, config Config) error {
	source, err := OpenSnapshot(ctx, config)
	if err != nil {
		return err
	}
	tables := source.Header().Tables
	if err := source.Close(); err != nil {
		return err
	}
	var statements []string
	for _, table := range tables {
		if config.URL != "" {
			statements = append(statements, `DROP TRIGGER IF EXISTS latchkey_frozen ON `+table.Name)
			continue
		}
		for _, change := range []string{"insert", "update", "delete"} {
			statements = append(statements, `DROP TRIGGER IF EXISTS latchkey_frozen_`+table.Name+`_`+change)
		}
	}
	return changeTriggers(ctx, config, statements)
}

// changeTriggers runs the statements in one transaction, again when others held
// what it needs.
func changeTriggers(ctx context.Context, config Config, statements []string) error {
	db, err := openPlain(config, "mode=rw&_txlock=immediate&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for range freezeTries {
		err = func() error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			for _, statement := range statements {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
			return tx.Commit()
		}()
		if !isLocked(err) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(freezeWait):
		}
	}
	if err != nil {
		return fmt.Errorf("stop or allow changes of the database: %w", err)
	}
	return nil
}

// lockNotAvailable is the SQLSTATE of a lock that did not come in time.
const lockNotAvailable = "55P03"

func isLocked(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return isTransient(err) || ok && failure.Code == lockNotAvailable
}
