package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"latchkey/internal/store/dump"
)

// filling is one transaction of a loader.
type filling struct {
	tx       *sql.Tx
	postgres bool
	prepared map[string]*sql.Stmt
}

// Bounds of one statement: SQLite takes 32766 parameters, PostgreSQL 65535.
const (
	fillParameters = 2000
	fillBytes      = 4 << 20 // of values, about
)

// insert writes rows, many in a statement.
func (f *filling) insert(ctx context.Context, table dump.Table, rows [][]any) error {
	most := max(1, fillParameters/len(table.Columns))
	for len(rows) > 0 {
		part := rows[:min(most, len(rows))]
		rows = rows[len(part):]
		statement, err := f.statement(ctx, table, len(part))
		if err != nil {
			return err
		}
		args := make([]any, 0, len(part)*len(table.Columns))
		for _, row := range part {
			args = append(args, row...)
		}
		if _, err := statement.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("write %s: %w", table.Name, err)
		}
	}
	return nil
}

// statement prepares the insertion of so many rows. The names in it are the
// schema's own.
func (f *filling) statement(ctx context.Context, table dump.Table, rows int) (*sql.Stmt, error) {
	id := table.Name + " " + strconv.Itoa(rows)
	if statement := f.prepared[id]; statement != nil {
		return statement, nil
	}
	var text strings.Builder
	text.WriteString("INSERT INTO " + table.Name + " (")
	for i, column := range table.Columns {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(column.Name)
	}
	text.WriteString(")")
	if f.postgres && numbered[table.Name] != "" {
		text.WriteString(" OVERRIDING SYSTEM VALUE")
	}
	text.WriteString(" VALUES ")
	parameter := 0
	for row := range rows {
		if row > 0 {
			text.WriteString(", ")
		}
		for i := range table.Columns {
			text.WriteString(map[bool]string{true: "(", false: ", "}[i == 0])
			if parameter++; f.postgres {
				text.WriteString("$" + strconv.Itoa(parameter))
			} else {
				text.WriteString("?") // SQLite looks for a name through all names
			}
		}
		text.WriteString(")")
	}
	statement, err := f.tx.PrepareContext(ctx, text.String())
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", table.Name, err)
	}
	f.prepared[id] = statement
	return statement, nil
}

// clear removes every row that an interrupted copy has left.
func (f *filling) clear(ctx context.Context, tables []dump.Table) error {
	for i := range tables {
		table := tables[len(tables)-1-i] // those that refer to others first
		if _, err := f.tx.ExecContext(ctx, `DELETE FROM `+table.Name); err != nil {
			return fmt.Errorf("clear %s: %w", table.Name, err)
		}
	}
	return nil
}

// number lets the engine give numbers after the last ones.
func (f *filling) number(ctx context.Context, last map[string]int64) error {
	for table, column := range numbered {
		if _, counted := last[table]; !counted || last[table] == 0 {
			continue
		}
		query := `UPDATE sqlite_sequence SET seq = $2 WHERE name = $1`
		args := []any{table, last[table]}
		if f.postgres {
			query, args = `SELECT setval(pg_get_serial_sequence($1, $2), $3)`, []any{table, column, last[table]}
		} else {
			// The engine makes its note of a table at the first row.
			_, err := f.tx.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) SELECT $1, 0
				WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = $1)`, table)
			if err != nil {
				return fmt.Errorf("number %s: %w", table, err)
			}
		}
		if _, err := f.tx.ExecContext(ctx, query, args...); err != nil {
			return fmt.Errorf("number %s: %w", table, err)
		}
	}
	return nil
}

// note keeps a note in the target until the copy is finished.
func (f *filling) note(ctx context.Context, name string, value []byte) error {
	_, err := f.tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	if err != nil {
		return fmt.Errorf("note the progress: %w", err)
	}
	return nil
}

// rowBatch gathers rows for one insertion.
type rowBatch struct {
	rows  [][]any
	bytes int
}

// add takes a row and reports whether the batch is large enough.
func (b *rowBatch) add(row []any) bool {
	b.rows = append(b.rows, row)
	for _, value := range row {
		switch value := value.(type) {
		case string:
			b.bytes += len(value)
		case []byte:
			b.bytes += len(value)
		default:
			b.bytes += 8
		}
	}
	return len(b.rows) >= 500 || b.bytes >= fillBytes
}

func (b *rowBatch) reset() { b.rows, b.bytes = b.rows[:0], 0 }
