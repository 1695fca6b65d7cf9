package store

import (
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"latchkey"
)

// Why a fact was not even tried, or not kept.
var (
	// ErrFull: the disk has no room. What ends things still has some.
	ErrFull = errors.New("the disk is full")
	// ErrBusy: so many facts wait that another would wait too long.
	ErrBusy = errors.New("too many facts wait")
	// ErrBroken: the disk has failed, and nothing is trusted to it any more.
	ErrBroken = errors.New("the disk has failed")
)

// How long who was refused should wait, in seconds.
const (
	busyPause   = 1
	outagePause = 5
)

// Refusal returns the answer to a request that the database did not serve and
// may serve later; nil for any other error.
func Refusal(err error) *latchkey.Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrBusy):
		return refusal("too much is being written at once", busyPause, err)
	case errors.Is(err, ErrFull), isPostgresFull(err):
		return refusal("the storage is full: only what ends things is written", outagePause, err)
	case errors.Is(err, ErrBroken), errors.Is(err, errClosed), isPostgresAway(err):
		return refusal("the storage can't be used now", outagePause, err)
	}
	return nil
}

func refusal(message string, pause int, cause error) *latchkey.Error {
	return &latchkey.Error{Code: latchkey.NetworkFailed, Message: message, RetryAfter: pause, Err: cause}
}

// isPostgresFull reports whether the server's disk is full (PostgreSQL manual,
// appendix A: disk_full).
func isPostgresFull(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failure.Code == "53100"
}

// isPostgresAway reports whether the server can't be reached, is starting or
// ending, or has no connection left (appendix A: class 08, class 57 operator
// intervention, 53300 too_many_connections).
func isPostgresAway(err error) bool {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch failure.Code {
		case "53300", "57P01", "57P02", "57P03":
			return true
		}
		return strings.HasPrefix(failure.Code, "08")
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	_, ok := errors.AsType[*net.OpError](err)
	return ok
}
