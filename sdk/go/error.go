package latchkey

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// ErrorCode classifies an error answer.
type ErrorCode string

// The codes of the API.
const (
	CodeUnauthorized         ErrorCode = "UNAUTHORIZED"         // the key is missing or not valid
	CodeSessionNotProvided   ErrorCode = "SESSION_NOT_PROVIDED" // an access call that names no known connection
	CodeSessionExpired       ErrorCode = "SESSION_EXPIRED"      // the connection has expired: link again
	CodeForbidden            ErrorCode = "FORBIDDEN"            // scope, permission or environment does not allow it
	CodeBadRequest           ErrorCode = "BAD_REQUEST"          // malformed or invalid input; Field names the first at fault
	CodeNotFound             ErrorCode = "RESOURCE_NOT_FOUND"
	CodeRouteNotFound        ErrorCode = "ROUTE_NOT_FOUND"
	CodeConflict             ErrorCode = "CONFLICT" // the object moved on since it was read
	CodePayloadTooLarge      ErrorCode = "PAYLOAD_TOO_LARGE"
	CodeUnsupportedMediaType ErrorCode = "UNSUPPORTED_MEDIA_TYPE"
	CodeRateLimited          ErrorCode = "RATE_LIMIT_EXCEEDED" // try again after RetryAfter
	CodeInternal             ErrorCode = "INTERNAL_ERROR"
	CodeProxy                ErrorCode = "PROXY_ERROR"   // the provider answered with something unusable
	CodeNetwork              ErrorCode = "NETWORK_ERROR" // the provider can't be reached
)

// RequiredAction is what helps against an error.
type RequiredAction string

// ActionRefreshSession is the action of an expired connection: the person must
// link again.
const ActionRefreshSession RequiredAction = "refresh_session"

// Error is an answer by which the server refuses. Find it in an error with
// errors.As or errors.AsType.
type Error struct {
	Status         int       // of HTTP
	Type           ErrorCode // empty when the answer was not the API's own
	Code           ErrorCode // the same as Type
	Message        string    // for the developer; never holds a credential
	Field          string    // the first field at fault, for CodeBadRequest
	RequestID      string    // req_…, leads to the server's log line
	ActionRequired RequiredAction
	RetryAfter     time.Duration   // 0: the server did not say
	Current        json.RawMessage // the object as it stands, for CodeConflict
}

// Error tells the code, the message and the request's id.
func (e *Error) Error() string {
	text := fmt.Sprintf("%d %s", e.Status, e.Message)
	if e.Code != "" {
		text = fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message)
	}
	if e.RequestID != "" {
		text += " (" + e.RequestID + ")"
	}
	return text
}

// CurrentSession returns the session as it stands, which the server shows when
// a submission answered an older step.
func (e *Error) CurrentSession() (*Session, error) {
	if len(e.Current) == 0 {
		return nil, errors.New("latchkey: the error shows no session")
	}
	var session Session
	if err := json.Unmarshal(e.Current, &session); err != nil {
		return nil, fmt.Errorf("latchkey: the session shown by the error: %w", err)
	}
	return &session, nil
}

// errorBody is an error on the wire. Error repeats Message, and Code repeats
// Type, for clients of older shapes.
type errorBody struct {
	Error          string          `json:"error"`
	Message        string          `json:"message"`
	Type           ErrorCode       `json:"type"`
	Code           ErrorCode       `json:"code"`
	RequestID      string          `json:"requestId"`
	ActionRequired RequiredAction  `json:"actionRequired,omitempty"`
	Details        errorDetails    `json:"details,omitzero"`
	Current        json.RawMessage `json:"current,omitempty"`
}

type errorDetails struct {
	Field string `json:"field,omitempty"`
}

// ErrorOf returns the error that a response tells of, and nil for a status
// below 300. It reads and closes the body. Of a proxied response it
// understands what Latchkey itself answered; the Type of a provider's own
// error is empty, unless the provider speaks as Latchkey does.
func ErrorOf(response *http.Response) error {
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	failed := &Error{
		Status: response.StatusCode, Message: http.StatusText(response.StatusCode),
		RequestID: response.Header.Get("X-Request-Id"),
	}
	failed.RetryAfter, _ = retryAfter(response.Header)
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	var body errorBody
	if err != nil || json.Unmarshal(content, &body) != nil || body.Type == "" {
		return failed // a gateway's page, or a provider's own words
	}
	failed.Type, failed.Code, failed.Message = body.Type, body.Code, body.Message
	failed.Field, failed.ActionRequired, failed.Current = body.Details.Field, body.ActionRequired, body.Current
	if body.RequestID != "" {
		failed.RequestID = body.RequestID
	}
	return failed
}

// IsNotFound reports whether the object is not in the key's sight.
func IsNotFound(err error) bool { return hasCode(err, CodeNotFound) }

// IsConflict reports whether the object moved on since it was read, or the
// idempotency key was used for something else.
func IsConflict(err error) bool { return hasCode(err, CodeConflict) }

// IsBadRequest reports whether something sent was not valid; the Field of the
// Error names it.
func IsBadRequest(err error) bool { return hasCode(err, CodeBadRequest) }

// IsUnauthorized reports whether the server did not take the key.
func IsUnauthorized(err error) bool { return hasCode(err, CodeUnauthorized) }

// IsForbidden reports whether the key may not do this.
func IsForbidden(err error) bool { return hasCode(err, CodeForbidden) }

// IsRateLimited reports whether there were too many calls; the RetryAfter of
// the Error says when to come back.
func IsRateLimited(err error) bool { return hasCode(err, CodeRateLimited) }

// IsSessionExpired reports whether the connection has expired, so that the
// person must link again.
func IsSessionExpired(err error) bool { return hasCode(err, CodeSessionExpired) }

func hasCode(err error, code ErrorCode) bool {
	failed, ok := errors.AsType[*Error](err)
	return ok && failed.Code == code
}
