// Package soaktest runs the real binary under a low, steady load, breaks what
// it stands on, and holds it to everything that it acknowledged. It has only
// tests; `make soak` lets them run for hours.
//
//	load ──▶ latchkey dev ──▶ SQLite on a small disk, or PostgreSQL
//	  │         │      ▲
//	  │         │      └── steps: kill, restart, stop, EIO, full disk, database restart
//	  │         └─ webhooks ─▶ sink: order, duplicates; fails and hangs
//	  └──▶ ledger: what was acknowledged, and when
package soaktest
