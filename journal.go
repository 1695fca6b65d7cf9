package latchkey

import (
	"math"
	"strconv"
	"time"
)

// JournalEntry says that something was revoked for good. A database that was
// restored from a backup is told of what it can't know by these.
type JournalEntry struct {
	Kind    JournalKind
	Subject string // the id of what was revoked
	Version int64  // of a connection: that with which it ended; RemovedVersion when it was removed
	At      time.Time
}

// JournalKind says what was revoked.
type JournalKind string

// What can be revoked for good, and whose journal it is.
const (
	JournalKey        JournalKind = "api_key"
	JournalConnection JournalKind = "connection"

	// JournalDatabase names the database that a journal is of.
	JournalDatabase JournalKind = "database"
)

// RemovedVersion comes after every version: the id is never used again.
const RemovedVersion = int64(math.MaxInt64)

// ID tells entries apart.
func (e JournalEntry) ID() string {
	return string(e.Kind) + "/" + e.Subject + "/" + strconv.FormatInt(e.Version, 10)
}
