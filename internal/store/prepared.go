package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
)

// preparedConn prepares each SQL text once on one connection. It is used by
// one goroutine at a time.
type preparedConn struct {
	conn       *sql.Conn
	statements map[string]preparedStatement
	changes    changes // what is run may have made
	wrote      bool    // a statement may have written since this was last made false
	args       []driver.NamedValue
}

// preparedStatement is a statement, the driver's own form of it, and what it may
// change.
type preparedStatement struct {
	*sql.Stmt
	direct  driver.Stmt
	touches touch
}

func newPreparedConn(conn *sql.Conn) *preparedConn {
	return &preparedConn{conn: conn, statements: map[string]preparedStatement{}}
}

func (p *preparedConn) prepare(ctx context.Context, query string, args []any) (preparedStatement, error) {
	statement, ok := p.statements[query]
	if !ok {
		var err error
		if statement.Stmt, err = p.conn.PrepareContext(ctx, query); err != nil {
			return statement, err
		}
		err = p.conn.Raw(func(connection any) error {
			statement.direct, err = connection.(driver.ConnPrepareContext).PrepareContext(ctx, query)
			return err
		})
		if err != nil {
			return statement, errors.Join(err, statement.Stmt.Close())
		}
		statement.touches = touchesOf(query)
		p.statements[query] = statement
	}
	p.changes.statement(statement.touches, args)
	return statement, nil
}

// command runs a statement without arguments, such as COMMIT.
func (p *preparedConn) command(ctx context.Context, query string) error {
	_, err := p.ExecContext(ctx, query)
	return err
}

// ExecContext runs a prepared statement. It asks the driver itself: what
// database/sql adds is for connections that are shared or lost.
func (p *preparedConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := p.prepare(ctx, query, args)
	if err != nil {
		return nil, err
	}
	p.args = p.args[:0]
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		p.args = append(p.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	defer clear(p.args)
	result, err := statement.direct.(driver.StmtExecContext).ExecContext(ctx, p.args)
	if !p.wrote {
		p.wrote = mayHaveWritten(result, err)
	}
	return result, err
}

// mayHaveWritten reports whether a statement that ended so may have left something.
func mayHaveWritten(result sql.Result, err error) bool {
	if err != nil {
		return true
	}
	rows, err := result.RowsAffected()
	return err != nil || rows != 0
}

// QueryContext runs a prepared query.
func (p *preparedConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := p.prepare(ctx, query, args)
	if err != nil {
		return nil, err
	}
	p.wrote = p.wrote || !statement.touches.reads
	return statement.QueryContext(ctx, args...)
}

// QueryRowContext runs a prepared query for one row.
func (p *preparedConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	statement, err := p.prepare(ctx, query, args)
	if err != nil {
		return p.conn.QueryRowContext(ctx, query, args...) // fails again, and says so in the row
	}
	p.wrote = p.wrote || !statement.touches.reads
	return statement.QueryRowContext(ctx, args...)
}

// Close closes the statements and the connection.
func (p *preparedConn) Close() error {
	var errs []error
	for _, statement := range p.statements {
		errs = append(errs, statement.direct.Close(), statement.Stmt.Close())
	}
	return errors.Join(append(errs, p.conn.Close())...)
}

// preparedDB prepares each SQL text once for a pool. The texts are literals of
// this package, so there are only as many as there are methods.
type preparedDB struct {
	db         *sql.DB
	statements sync.Map // query string → *sql.Stmt
}

func newPreparedDB(db *sql.DB) *preparedDB { return &preparedDB{db: db} }

func (p *preparedDB) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement, ok := p.statements.Load(query); ok {
		return statement.(*sql.Stmt), nil
	}
	statement, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if kept, loaded := p.statements.LoadOrStore(query, statement); loaded {
		_ = statement.Close()
		return kept.(*sql.Stmt), nil
	}
	return statement, nil
}

// ExecContext runs a prepared statement.
func (p *preparedDB) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := p.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args...)
}

// QueryContext runs a prepared query.
func (p *preparedDB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := p.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

// QueryRowContext runs a prepared query for one row.
func (p *preparedDB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	statement, err := p.prepare(ctx, query)
	if err != nil {
		return p.db.QueryRowContext(ctx, query, args...) // fails again, and says so in the row
	}
	return statement.QueryRowContext(ctx, args...)
}

// Close closes the pool and with it the statements.
func (p *preparedDB) Close() error { return p.db.Close() }
