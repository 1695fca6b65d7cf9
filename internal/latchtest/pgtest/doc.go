// Package pgtest gives tests a real PostgreSQL, without a service to set up.
//
//	New(t) ───────────────▶ one cluster a process ──▶ an empty database ──▶ dropped at cleanup
//	Template(…).New(t) ───▶ the same cluster ───────▶ a clone of a migrated one
//	Start(t) ─────────────▶ a cluster of the test's own: Stop, Kill, Restart
//	StartPair(t) ─────────▶ a primary and a standby that confirms every commit: Fail, Promote, Rebuild
//	StartBouncer(t, …) ───▶ a PgBouncer before one of them
//	StartProxy(t, …) ─────▶ the way to one of them, to be slowed, swallowed and cut
//
// The cluster lives in a short folder under /tmp, listens on a unix socket
// only and keeps fsync on, so that what it acknowledged is on disk. When the
// test process runs as root the cluster runs as the user postgres, since
// PostgreSQL refuses root. A janitor process holds the reading end of a pipe:
// when the test process ends, however it ends, the janitor stops the cluster
// and removes its folder.
//
// DATABASE_URL overrides the shared cluster: databases are then created on the
// server it names, by a role that may create databases. Start always starts a
// server of its own.
package pgtest
