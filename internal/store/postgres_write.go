package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// retries bounds how often a transaction is tried again after a deadlock or a
// serialisation failure.
const retries = 8

// write runs the fact in a transaction of its own. It is run again, from the
// beginning, when that has surely not been committed and may be another time.
func (e *postgresEngine) write(ctx context.Context, fact func(tx *tx) error) error {
	bounded, done := bound(ctx)
	defer done()
	refused := 0
	err := again(bounded, func() error {
		err := e.tryWrite(bounded, fact)
		if isTransient(err) {
			if refused++; refused == retries {
				return fmt.Errorf("%w after %d tries: %w", errRefused, retries, err)
			}
		}
		return err
	})
	return reported(ctx, err)
}

// errRefused tells of a transaction that others stood in the way of too often.
var errRefused = errors.New("the transaction can't be completed")

func (e *postgresEngine) writeOne(ctx context.Context, fact func(tx *tx) error) error {
	return e.write(ctx, fact)
}

// tryWrite runs the fact once. When it fails, nothing was committed, unless
// the error is errUnknown.
func (e *postgresEngine) tryWrite(ctx context.Context, fact func(tx *tx) error) error {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	transaction := &transaction{conn: conn}
	defer transaction.end()
	if err := transaction.command(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fact(&tx{ctx: ctx, run: conn, fragments: &postgresFragments}); err != nil {
		if isReadOnly(err) {
			transaction.drop() // the next one may lead to the server in its place
		}
		return err
	}
	mark := e.marks.take()
	err = transaction.command(ctx, mark.commit())
	if err == nil || isUndone(err) {
		e.marks.give(mark)
	} else {
		transaction.drop() // before the question: it may be what the server waits for
		err = e.resolve(ctx, mark, err)
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// isUndone reports whether the server itself has said that it has not
// committed.
func isUndone(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return errors.Is(err, errRolledBack) || ok && failure.SeverityUnlocalized == "ERROR"
}

// transaction is one on a connection that nobody else has meanwhile.
type transaction struct {
	conn    *sql.Conn
	open    bool
	dropped bool
}

// errRolledBack is the answer to the commit of a transaction in which a
// statement failed.
var errRolledBack = errors.New("the transaction was rolled back")

// command runs BEGIN, ROLLBACK or what ends in COMMIT, in one round trip.
func (t *transaction) command(ctx context.Context, statements string) error {
	return t.conn.Raw(func(connection any) error {
		results, err := connection.(*stdlib.Conn).Conn().PgConn().Exec(ctx, statements).ReadAll()
		if err != nil {
			return err
		}
		tag := results[len(results)-1].CommandTag.String()
		if statements != rollback && tag == rollback {
			err = errRolledBack
		}
		t.open = tag == "BEGIN"
		return err
	})
}

const rollback = "ROLLBACK"

// end rolls back what is open and gives the connection back; one that can't
// be rolled back is dropped.
func (t *transaction) end() {
	if t.dropped {
		return
	}
	if t.open {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackTime)
		defer cancel()
		if t.command(ctx, rollback) != nil {
			t.drop()
			return
		}
	}
	_ = t.conn.Close()
}

// drop closes the connection, and with it what is open.
func (t *transaction) drop() {
	t.dropped = true
	_ = t.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = t.conn.Close()
}
