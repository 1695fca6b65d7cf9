// Package conformancetest runs the conformance suite, as a stranger would,
// against the real binary on both databases, and proves that its rows can
// fail. It has only tests.
//
//	conformance ─▶ latchkey dev ─▶ SQLite or PostgreSQL          every row must pass
//	conformance ─▶ a proxy that spoils answers ─▶ latchkey dev   the rows named must fail
package conformancetest
