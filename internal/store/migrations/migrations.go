// Package migrations embeds the schema of both engines, as numbered twins:
// every number exists in sqlite/ and in postgres/.
//
//	store.Open ─▶ goose ─▶ sqlite/0001_init.sql … or postgres/0001_init.sql …
package migrations

import "embed"

// SQLite holds the folder "sqlite".
//
//go:embed sqlite/*.sql
var SQLite embed.FS

// Postgres holds the folder "postgres".
//
//go:embed postgres/*.sql
var Postgres embed.FS
