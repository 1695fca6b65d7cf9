// Package backuptest proves, with the real binary in processes of its own, that
// a backup which was made under load is whole, that what was revoked stays
// revoked whatever happens, and that a database can be moved while it is read.
// It has only tests.
//
//	workers ──▶ latchkey dev ──▶ backup ─▶ kill -9 ─▶ restore on a clean folder ──▶ latchkey dev ──▶ ask for all of it
package backuptest
