package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"latchkey/internal/store/dump"
)

// tables are all tables of the schema, as they are copied: what others refer to
// comes first. A test compares them with what the migrations make.
var tables = []string{
	"meta", "ring_keys", "organisations", "data_keys", "api_keys", "client_apps", "domain_claims", "link_sessions", "connections", "credential_marks",
	"revocations", "webhook_endpoints", "endpoint_paces", "events", "deliveries", "delivery_heads", "idempotency_keys", "attempts", "revocation_journal",
	"audit", "audit_chains",
}

// numbered are the tables whose rows the engine numbers, and that column.
var numbered = map[string]string{"events": "position", "audit": "position"}

// kinds are what the engines call their types.
var kinds = map[string]dump.Kind{
	"text": dump.Text, "bigint": dump.Integer, "integer": dump.Integer, "boolean": dump.Boolean,
	"blob": dump.Bytes, "bytea": dump.Bytes,
}

// describe returns the tables that are there, in the order of the list, with
// their columns: those of the key first, then the others by name, which is the
// same on both engines. A table that is not on the list is an error: it would be left
// behind.
func describe(ctx context.Context, run querier, catalogue string) ([]dump.Table, error) {
	rows, err := run.QueryContext(ctx, catalogue)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	defer func() { _ = rows.Close() }()
	found := map[string]*dump.Table{}
	for rows.Next() {
		var table, column, declared string
		var key int
		if err := rows.Scan(&table, &column, &declared, &key); err != nil {
			return nil, fmt.Errorf("read the schema: %w", err)
		}
		kind, known := kinds[strings.ToLower(declared)]
		if isEnginesOwn(table) {
			continue
		}
		if !known || !slices.Contains(tables, table) {
			return nil, fmt.Errorf("this program does not know table %s with column %s", table, column)
		}
		if found[table] == nil {
			found[table] = &dump.Table{Name: table}
		}
		found[table].Columns = append(found[table].Columns, dump.Column{Name: column, Kind: kind})
		if key > 0 {
			found[table].Key = append(found[table].Key, column)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	var list []dump.Table
	for _, name := range tables {
		if table := found[name]; table != nil {
			slices.SortFunc(table.Columns[len(table.Key):], func(one, other dump.Column) int {
				return strings.Compare(one.Name, other.Name)
			})
			list = append(list, *table)
		}
	}
	return list, nil
}

// isEnginesOwn reports whether a table says something of this database alone:
// of its schema, of the engine, or of what its clients were not sure of.
func isEnginesOwn(table string) bool {
	return table == "goose_db_version" || table == "commit_marks" || strings.HasPrefix(table, "sqlite_")
}

// The catalogues: table, column, type, and the place in the primary
// key or 0; columns of a key come in its order first.
const (
	sqliteCatalogue = `SELECT m.name, c.name, c.type, c.pk FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' ORDER BY m.name, CASE WHEN c.pk > 0 THEN c.pk ELSE 1000 END, c.cid`
	postgresCatalogue = `SELECT c.table_name, c.column_name, c.data_type, COALESCE(k.ordinal_position, 0)
		FROM information_schema.tables t
		JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name
		LEFT JOIN (information_schema.table_constraints p JOIN information_schema.key_column_usage k
			ON k.constraint_schema = p.constraint_schema AND k.constraint_name = p.constraint_name)
			ON p.constraint_type = 'PRIMARY KEY' AND p.table_schema = t.table_schema AND p.table_name = t.table_name
			AND k.column_name = c.column_name
		WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
		ORDER BY c.table_name, COALESCE(k.ordinal_position, 1000), c.column_name`
)
