package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"latchkey/internal/store/dump"
)

// Move copies a database into another, of either engine, while servers go on
// with the old one. From its beginning on that takes no changes, except the
// records of uses; those it takes until the end. A move that was interrupted
// goes on where it was. Before servers may take the target, every row of both
// has been read again and compared.
//
//	freeze ─▶ tables, page by page ─▶ records so far ─▶ freeze all ─▶ last records ─▶ compare ─▶ done
//
// Tell hears of every table that is done and of every page, with the rows that
// this run has written.
func Move(ctx context.Context, from, to Config, tell func(table string, rows int64)) (map[string]int64, error) {
	m := &mover{from: from, to: to, tell: tell}
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = m.target.close() }()
	err := m.copyAll(ctx, func(table dump.Table) bool { return !slices.Contains(stillWritten, table.Name) })
	if err == nil {
		err = m.copyAll(ctx, func(table dump.Table) bool { return table.Name == "audit" })
	}
	if err == nil {
		err = m.closeOff(ctx)
	}
	if err == nil {
		err = m.copyAll(ctx, func(table dump.Table) bool { return slices.Contains(stillWritten, table.Name) })
	}
	if err != nil {
		return nil, errors.Join(err, m.source.Close())
	}
	counts, err := m.compare(ctx)
	if err := errors.Join(err, m.source.Close()); err != nil {
		return nil, err
	}
	return counts, m.finish(ctx)
}

// mover is one run of a move.
type mover struct {
	from, to Config
	source   *Snapshot
	target   *loader
	tell     func(table string, rows int64)
}

func (m *mover) begin(ctx context.Context) error {
	looked, err := OpenSnapshot(ctx, m.from)
	if err != nil {
		return err
	}
	header := looked.Header()
	if err := looked.Close(); err != nil {
		return err
	}
	sum := sha256.Sum256(header.Database)
	what := "move " + hex.EncodeToString(sum[:])
	target, begun, err := openLoader(ctx, m.to, "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)", header, what)
	if err != nil {
		return err
	}
	m.target = target
	if err = freeze(ctx, m.from, header.Tables, false); err == nil && !begun {
		err = target.within(ctx, func(f *filling) error { return f.note(ctx, unfinishedNote, []byte(what)) })
	}
	if err == nil {
		m.source, err = OpenSnapshot(ctx, m.from)
	}
	if err != nil {
		return errors.Join(err, target.close())
	}
	return nil
}

// closeOff ends also the records of uses, and reads the source as it is then.
func (m *mover) closeOff(ctx context.Context) error {
	if err := freeze(ctx, m.from, m.source.Header().Tables, true); err != nil {
		return err
	}
	if err := m.source.Close(); err != nil {
		return err
	}
	var err error
	m.source, err = OpenSnapshot(ctx, m.from)
	return err
}

func (m *mover) copyAll(ctx context.Context, wanted func(dump.Table) bool) error {
	for _, table := range m.source.Header().Tables {
		if !wanted(table) {
			continue
		}
		if err := m.copyTable(ctx, table); err != nil {
			return err
		}
	}
	return nil
}

// copyTable copies what comes after the last row that was written. The heads of
// chains change with every record: they are written anew.
func (m *mover) copyTable(ctx context.Context, table dump.Table) error {
	key := keyOf(table)
	after, err := m.progress(ctx, key)
	if err != nil {
		return err
	}
	if table.Name == "audit_chains" {
		after = nil
		if err := m.target.within(ctx, func(f *filling) error { return f.clear(ctx, []dump.Table{table}) }); err != nil {
			return err
		}
	}
	var batch rowBatch
	flush := func() error {
		defer batch.reset()
		if len(batch.rows) == 0 {
			return nil
		}
		last, err := dump.AppendRow(nil, key, batch.rows[len(batch.rows)-1][:len(key.Columns)])
		if err != nil {
			return err
		}
		rows := int64(len(batch.rows))
		err = m.target.within(ctx, func(f *filling) error {
			if err := f.insert(ctx, table, batch.rows); err != nil {
				return err
			}
			return f.note(ctx, progressNote+table.Name, last)
		})
		if err == nil {
			m.tell(table.Name, rows)
		}
		return err
	}
	err = m.source.Rows(ctx, table, after, func(row []any) error {
		if batch.add(row) {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// keyOf is a table's key as a table: the first columns of each.
func keyOf(table dump.Table) dump.Table {
	return dump.Table{Name: table.Name, Columns: table.Columns[:len(table.Key)], Key: table.Key}
}

// progress returns the key of the last row that was written, nil before the
// first.
func (m *mover) progress(ctx context.Context, key dump.Table) ([]any, error) {
	rows, err := m.target.db.QueryContext(ctx, `SELECT value FROM meta WHERE name = $1`, progressNote+key.Name)
	notes, err := collect(rows, err, func(row scanner) ([]byte, error) {
		var note []byte
		err := row.Scan(&note)
		return note, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the progress: %w", err)
	}
	if len(notes) == 0 {
		return nil, nil
	}
	return dump.ParseRow(notes[0], key)
}

// compare reads both databases and wants the same rows in every table.
func (m *mover) compare(ctx context.Context) (map[string]int64, error) {
	copied, err := OpenSnapshot(ctx, m.to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = copied.Close() }()
	counts := map[string]int64{}
	for _, table := range m.source.Header().Tables {
		want, err := m.source.Digest(ctx, table)
		if err != nil {
			return nil, err
		}
		have, err := copied.Digest(ctx, table)
		if err != nil {
			return nil, err
		}
		if have != want {
			return nil, fmt.Errorf("%s is not the same in both databases (%d and %d rows): begin again with a new target",
				table.Name, want.Rows, have.Rows)
		}
		counts[table.Name] = want.Rows
	}
	return counts, copied.Integrity(ctx)
}

// finish lets the target give numbers after the source's, and servers take it.
func (m *mover) finish(ctx context.Context) error {
	return m.target.within(ctx, func(f *filling) error {
		if err := f.number(ctx, m.source.Header().Sequences); err != nil {
			return err
		}
		_, err := f.tx.ExecContext(ctx, `DELETE FROM meta WHERE name = $1 OR name LIKE '`+progressNote+`%'`, unfinishedNote)
		if err != nil {
			return fmt.Errorf("finish the move: %w", err)
		}
		return nil
	})
}
