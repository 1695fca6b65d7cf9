package store

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// resultOf returns SQLite's extended result code of an error, 0 when it is not
// SQLite's.
func resultOf(err error) int {
	if failure, ok := errors.AsType[*sqlite.Error](err); ok {
		return failure.Code()
	}
	return 0
}

// isFull reports whether the disk had no room: for a write, or for more of the
// index of the write-ahead log.
func isFull(err error) bool {
	result := resultOf(err)
	return result == sqlite3.SQLITE_FULL || result == sqlite3.SQLITE_IOERR_SHMSIZE
}

// isBroken reports whether the disk failed in a way after which nothing that
// was written through this process is sure. After a failed fsync the kernel
// may have marked the pages as clean, so that the next fsync succeeds without
// writing them: to try again would acknowledge what is not on disk.
func isBroken(err error) bool {
	switch resultOf(err) & 0xff {
	case sqlite3.SQLITE_IOERR:
		return !isFull(err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}
