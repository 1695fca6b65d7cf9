package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"latchkey"
)

// SQLSTATE codes, from the PostgreSQL manual, appendix A.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	readOnlyTransaction  = "25006" // the server has become a standby
	tooManyConnections   = "53300"
	connectionExceptions = "08"  // a class
	operatorIntervention = "57P" // shut down, crashed, starting
)

// retryAfter is what callers are told to wait, in seconds.
const retryAfter = 1

// isTransient reports whether the same transaction may succeed when tried
// again, at the same server.
func isTransient(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && !errors.Is(err, errRefused) && (failure.Code == serializationFailure || failure.Code == deadlockDetected)
}

// isReadOnly reports whether the connection leads to a standby.
func isReadOnly(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failure.Code == readOnlyTransaction
}

// isLost reports whether the error tells of the way to the server, or of the
// server as a whole, and not of what it was asked.
func isLost(err error) bool {
	if errors.Is(err, errUnknown) {
		return false // what was asked may have been done
	}
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return failure.SeverityUnlocalized == "FATAL" || failure.SeverityUnlocalized == "PANIC" ||
			failure.Code == readOnlyTransaction || failure.Code == tooManyConnections ||
			strings.HasPrefix(failure.Code, connectionExceptions) || strings.HasPrefix(failure.Code, operatorIntervention)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	for _, cause := range []error{errSlow, driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return pgconn.SafeToRetry(err)
}

// isAway reports whether the error tells that the database did not answer in
// time, whatever it was asked.
func isAway(err error) bool {
	return isLost(err) || isTransient(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errUnknown) ||
		errors.Is(err, errRefused)
}

// reported turns an error that tells of a database out of reach into a
// NETWORK_ERROR. A caller who has left gets the error as it is.
func reported(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, ok := errors.AsType[*latchkey.Error](err); !ok && isAway(err) {
		return &latchkey.Error{
			Code: latchkey.NetworkFailed, Message: "the database can't be reached now; try again", RetryAfter: retryAfter, Err: err,
		}
	}
	return err
}

// cut reports an answer that ended before its last row.
func cut(err error) error {
	if isLost(err) || errors.Is(err, context.DeadlineExceeded) {
		return reported(context.Background(), err)
	}
	return err
}
