package latchkey

import (
	"errors"
	"fmt"
)

// Code classifies an error for the outside. The values are the `type` and
// `code` of an error answer.
type Code string

// The codes a room may answer with. A door adds the few that only HTTP knows
// (an unknown route, a body too large, an unsupported media type).
const (
	Unauthorized       Code = "UNAUTHORIZED"         // no key, or one that is not valid
	SessionNotProvided Code = "SESSION_NOT_PROVIDED" // an access call that names no known connection
	SessionExpired     Code = "SESSION_EXPIRED"      // the connection has expired: link again
	Forbidden          Code = "FORBIDDEN"            // scope, permission or environment does not allow it
	Invalid            Code = "BAD_REQUEST"          // malformed or invalid input; Field names the first at fault
	NotFound           Code = "RESOURCE_NOT_FOUND"   // no such object in the caller's sight
	Conflict           Code = "CONFLICT"             // the object moved on since it was read
	RateLimited        Code = "RATE_LIMIT_EXCEEDED"  // try again after RetryAfter
	Internal           Code = "INTERNAL_ERROR"       // ours; nothing is given away
	ProxyFailed        Code = "PROXY_ERROR"          // the provider answered with something unusable
	NetworkFailed      Code = "NETWORK_ERROR"        // the provider, or a part of ours, can't be reached now
)

// Error is an error with a code. Message is for the outside and must never
// hold a credential or tell how close a secret was; Err is for the log.
type Error struct {
	Code       Code
	Message    string
	Field      string // the first field at fault, for Invalid
	RetryAfter int    // seconds, for RateLimited and NetworkFailed; 0 when unknown
	Err        error  // the cause; logged, never answered
}

// Error tells the code, the message and the cause, for the log.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error of the code with a formatted message for the outside.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// InvalidField returns the error of an input field that breaks its rule. The
// message names the field and never repeats what was sent.
func InvalidField(field, rule string) *Error {
	return &Error{Code: Invalid, Field: field, Message: field + " " + rule}
}

// CodeOf returns the code of the first Error in err's chain, Internal for any
// other error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
