// Package killtest proves that what was acknowledged is on disk: it runs the
// real binary, kills it under load, and asks it afterwards for all that it had
// said yes to. It has only tests.
//
//	workers ──▶ latchkey ──▶ SQLite or PostgreSQL       kill -9, start, ask
//	   └──▶ oracle: sessions, connections and deletions that were acknowledged
package killtest
