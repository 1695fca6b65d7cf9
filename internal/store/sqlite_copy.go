package store

import (
	"context"
	"database/sql"
	"sync"
)

// How the write-ahead log is copied back into the file, in pages of 4 KB. It is done
// beside the commits, so that nobody waits for it; only the little that has come
// meanwhile is copied between two commits, since a log begins anew when all of it
// has been copied.
//
//	copyBeside pages to copy ─▶ beside the commits ─▶ longLog pages in all, and few to copy ─▶ between two ─▶ it begins anew
//	                             copyAtOnce to copy, or twice longLog in all: those who write wait
const (
	copyBeside = 1000
	copyAtOnce = 1800 // what they may add to the file, the reserve has room for
	longLog    = 2000
	fewToCopy  = 200
)

// logCopier copies the log back, on a connection of its own or on the writer's.
//
// A copy that fails is not noticed at once by those who commit beside it. What they
// were told of is in the log, which had an fsync of its own, and begins anew only
// after a copy that succeeded.
type logCopier struct {
	db   *sql.DB
	told func(error) // what became of a copy beside the commits
	lock sync.Mutex  // held by who copies
	from int64       // pages that the log held when it was last copied between commits
}

// turn is how the log is to be copied now.
type turn int

const (
	noCopy turn = iota
	besideCommits
	betweenCommits
)

// next says what is to be done after a commit that has left the log so. After the fact
// of a lone caller nobody waits, and nothing is left to share processor and disk with
// the next one.
func (c *logCopier) next(log logState, lone bool) turn {
	if log.pages < c.from {
		c.from = 0 // it began anew
	}
	length, left := log.pages-c.from, log.pages-log.copied
	switch {
	case left >= copyAtOnce, length >= 2*longLog && left > 0, length >= longLog && left <= fewToCopy:
		return betweenCommits
	case left < copyBeside && length < longLog:
		return noCopy
	case lone:
		return betweenCommits
	}
	return besideCommits
}

// beside copies the log beside the commits, unless that is being done.
func (c *logCopier) beside() {
	if !c.lock.TryLock() {
		return
	}
	go func() {
		defer c.lock.Unlock()
		c.told(copyLog(c.db))
	}()
}

// between copies the log on the writer's connection, when nobody else does any more.
func (c *logCopier) between(writer querier, log logState) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.from = log.pages
	return copyLog(writer)
}

// stop waits for a copy beside and closes the connection.
func (c *logCopier) stop() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.db.Close()
}

// copyLog copies what no reader and no commit is in the way of.
func copyLog(on querier) error {
	var busy, pages, copied int
	return on.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &copied)
}
