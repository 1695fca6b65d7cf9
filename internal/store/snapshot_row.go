package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"latchkey/internal/store/dump"
)

// Rows gives take every row of a table that comes after the key, in the order
// of its key; no key is before the first. Rows are the same on both engines:
// events are numbered in the order of the log and know no transactions, which
// are a matter of one server.
func (s *Snapshot) Rows(ctx context.Context, table dump.Table, after []any, take func(row []any) error) error {
	query, args := s.query(table, after)
	rows, err := s.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", table.Name, err)
	}
	defer func() { _ = rows.Close() }()
	position, transaction := -1, -1
	if table.Name == "events" {
		position, transaction = table.Index("position"), table.Index("transaction_id")
	}
	next := s.lastEvent
	if len(after) == 1 && s.reordered {
		next, _ = after[0].(int64)
	}
	for rows.Next() {
		row, err := scanRow(rows, table)
		if err != nil {
			return err
		}
		if transaction >= 0 {
			row[transaction] = int64(0)
		}
		if position >= 0 && s.reordered {
			next++
			row[position] = next
		}
		if err := take(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", table.Name, err)
	}
	return nil
}

// query returns the statement that reads a table from a key on. The names in it
// are the schema's own.
func (s *Snapshot) query(table dump.Table, after []any) (string, []any) {
	columns := make([]string, len(table.Columns))
	for i, column := range table.Columns {
		columns[i] = column.Name
	}
	text := "SELECT " + strings.Join(columns, ", ") + " FROM " + table.Name
	key := strings.Join(table.Key, ", ")
	switch {
	case table.Name == "meta": // without the notes of copies
		text += " WHERE name <> '" + unfinishedNote + "' AND name NOT LIKE '" + progressNote + "%'"
		if len(after) > 0 {
			text += " AND name > $1"
		}
	case table.Name == "events" && s.reordered:
		text += " ORDER BY transaction_id, position"
		if len(after) > 0 {
			skipped, _ := after[0].(int64)
			text += " OFFSET " + strconv.FormatInt(skipped-s.lastEvent, 10)
		}
		return text, nil
	case len(after) > 0:
		places := make([]string, len(after))
		for i := range after {
			places[i] = "$" + strconv.Itoa(i+1)
		}
		text += " WHERE (" + key + ") > (" + strings.Join(places, ", ") + ")"
	}
	return text + " ORDER BY " + key, after
}

// scanRow reads a row, with each value of its column's kind.
func scanRow(rows *sql.Rows, table dump.Table) ([]any, error) {
	row := make([]any, len(table.Columns))
	into := make([]any, len(row))
	for i := range row {
		into[i] = &row[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, fmt.Errorf("read %s: %w", table.Name, err)
	}
	for i, column := range table.Columns {
		switch value := row[i].(type) {
		case int64:
			if column.Kind == dump.Boolean {
				row[i] = value != 0
			}
		case string: // SQLite keeps a text that was written to a BLOB
			if column.Kind == dump.Bytes {
				row[i] = []byte(value)
			}
		}
	}
	return row, nil
}

// Digests reads the whole snapshot and returns the digest of each table.
func (s *Snapshot) Digests(ctx context.Context) (map[string]dump.Digest, error) {
	digests := map[string]dump.Digest{}
	for _, table := range s.header.Tables {
		digest, err := s.Digest(ctx, table)
		if err != nil {
			return nil, err
		}
		digests[table.Name] = digest
	}
	return digests, nil
}

// Digest reads a table and returns its digest.
func (s *Snapshot) Digest(ctx context.Context, table dump.Table) (dump.Digest, error) {
	var digest dump.Digest
	var encoded []byte
	err := s.Rows(ctx, table, nil, func(row []any) error {
		var err error
		if encoded, err = dump.AppendRow(encoded[:0], table, row); err != nil {
			return err
		}
		digest.Add(encoded)
		return nil
	})
	return digest, err
}
