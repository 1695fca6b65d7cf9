package dump

import (
	"errors"
	"fmt"
	"regexp"
)

// Kind says what a column holds. Null goes with every kind.
type Kind string

// The kinds, and what a row has of each.
const (
	Text    Kind = "text"    // string
	Integer Kind = "integer" // int64
	Boolean Kind = "boolean" // bool
	Bytes   Kind = "bytes"   // []byte
)

// Column is a column of a table.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Table is a table with its columns in the order of its rows.
type Table struct {
	Name    string   `json:"name"`
	Columns []Column `json:"columns"`
	Key     []string `json:"key"` // the columns of the primary key
}

// Index returns where a column stands in the rows, -1 if it is not there.
func (t Table) Index(column string) int {
	for i, c := range t.Columns {
		if c.Name == column {
			return i
		}
	}
	return -1
}

// name is what a table or a column may be called. Names go into SQL.
var name = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// maxColumns bounds the columns of a table.
const maxColumns = 200

// check refuses a table that could not be one.
func (t Table) check() error {
	if !name.MatchString(t.Name) {
		return errors.New("a table has no proper name")
	}
	if len(t.Columns) == 0 || len(t.Columns) > maxColumns {
		return fmt.Errorf("table %s has %d columns", t.Name, len(t.Columns))
	}
	seen := map[string]bool{}
	for _, column := range t.Columns {
		if !name.MatchString(column.Name) || seen[column.Name] {
			return fmt.Errorf("table %s has a column without a proper name", t.Name)
		}
		seen[column.Name] = true
		switch column.Kind {
		case Text, Integer, Boolean, Bytes:
		default:
			return fmt.Errorf("column %s of table %s is of no known kind", column.Name, t.Name)
		}
	}
	for _, column := range t.Key {
		if !seen[column] {
			return fmt.Errorf("the key of table %s is not among its columns", t.Name)
		}
	}
	if len(t.Key) == 0 {
		return fmt.Errorf("table %s has no key", t.Name)
	}
	return nil
}
