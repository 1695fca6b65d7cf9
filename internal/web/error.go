package web

import (
	"errors"
	"html"
	"io"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// The codes that only HTTP knows.
const (
	RouteNotFound        latchkey.Code = "ROUTE_NOT_FOUND"
	PayloadTooLarge      latchkey.Code = "PAYLOAD_TOO_LARGE"
	UnsupportedMediaType latchkey.Code = "UNSUPPORTED_MEDIA_TYPE"
)

// statuses are the HTTP statuses of the codes.
var statuses = map[latchkey.Code]int{
	latchkey.Unauthorized:       http.StatusUnauthorized,
	latchkey.SessionNotProvided: http.StatusUnauthorized,
	latchkey.SessionExpired:     http.StatusUnauthorized,
	latchkey.Forbidden:          http.StatusForbidden,
	latchkey.Invalid:            http.StatusBadRequest,
	latchkey.NotFound:           http.StatusNotFound,
	RouteNotFound:               http.StatusNotFound,
	latchkey.Conflict:           http.StatusConflict,
	PayloadTooLarge:             http.StatusRequestEntityTooLarge,
	UnsupportedMediaType:        http.StatusUnsupportedMediaType,
	latchkey.RateLimited:        http.StatusTooManyRequests,
	latchkey.Internal:           http.StatusInternalServerError,
	latchkey.ProxyFailed:        http.StatusBadGateway,
	latchkey.NetworkFailed:      http.StatusServiceUnavailable,
}

// errorBody is the error in all three shapes that clients in the field read.
type errorBody struct {
	Error          string        `json:"error"`
	Message        string        `json:"message"`
	Type           latchkey.Code `json:"type"`
	Code           latchkey.Code `json:"code"`
	RequestID      string        `json:"requestId"`
	ActionRequired string        `json:"actionRequired,omitzero"`
	Details        *errorDetails `json:"details,omitzero"`
	Current        any           `json:"current,omitzero"` // the object as it stands, for a conflict
}

type errorDetails struct {
	Field string `json:"field"`
}

// currentError is an error that shows how the object stands now.
type currentError struct {
	error
	current any
}

// Unwrap returns the error itself.
func (c *currentError) Unwrap() error { return c.error }

// WithCurrent adds the object as it stands now to the error's answer.
func WithCurrent(err error, current any) error { return &currentError{error: err, current: current} }

// translate returns the error as the outside may see it. What has no code is
// internal: its message stays in the log.
func translate(about *note, err error) (*latchkey.Error, int) {
	if about.config != nil && about.config.Refusal != nil {
		if refused := about.config.Refusal(err); refused != nil {
			err = refused
		}
	}
	known, ok := errors.AsType[*latchkey.Error](err)
	if !ok || known.Code == latchkey.Internal || statuses[known.Code] == 0 {
		return latchkey.Errorf(latchkey.Internal, "something went wrong; the request id leads to the log"),
			http.StatusInternalServerError
	}
	return known, statuses[known.Code]
}

// WriteError answers with the error and leaves its whole chain for the log.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	about := noteOf(r.Context())
	about.err = err
	shown, status := translate(about, err)
	body := errorBody{
		Error: shown.Message, Message: shown.Message, Type: shown.Code, Code: shown.Code, RequestID: about.id,
	}
	if shown.Code == latchkey.SessionExpired {
		body.ActionRequired = "refresh_session"
	}
	if shown.Field != "" {
		body.Details = &errorDetails{Field: shown.Field}
	}
	if with, ok := errors.AsType[*currentError](err); ok {
		body.Current = with.current
	}
	apiHeaders(w.Header())
	retryAfter(w.Header(), shown)
	encoded, err := json.Marshal(body)
	if err != nil { // a message that is no UTF-8 came from outside: it is not repeated
		body.Error, body.Details, body.Current = "something went wrong", nil, nil
		body.Message = body.Error
		encoded, _ = json.Marshal(body)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(status)
	_, _ = w.Write(encoded)
}

func retryAfter(header http.Header, shown *latchkey.Error) {
	if shown.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(shown.RetryAfter))
	}
}

// writeErrorPage answers a person for whom no page could be drawn.
func (rt *Router) writeErrorPage(w http.ResponseWriter, r *http.Request, err error) {
	about := noteOf(r.Context())
	about.err = err
	shown, status := translate(about, err)
	retryAfter(w.Header(), shown)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if rt.config.ErrorPage != nil {
		rt.config.ErrorPage(w, r, status)
		return
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `<!doctype html><html lang="en"><meta charset="utf-8">`+
		`<meta name="viewport" content="width=device-width"><title>Something went wrong</title>`+
		`<h1>This did not work</h1><p>`+html.EscapeString(shown.Message)+`.</p>`+
		`<p>Go back to the app you came from and try again. Request `+html.EscapeString(about.id)+`</p></html>`)
}
