package jsonapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/internal/connector"
)

// maxDepth bounds nested objects and arrays of an answer.
const maxDepth = 64

// Answer is what came of a call, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	host   string
}

// readAnswer reads and closes an answer.
func readAnswer(response *http.Response, r Request) (*Answer, error) {
	defer func() { _ = response.Body.Close() }()
	limit := r.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", r.URL.Host, err)
	}
	if len(body) > limit {
		clear(body)
		return nil, fmt.Errorf("the answer of %s is larger than %d bytes", r.URL.Host, limit)
	}
	return &Answer{Status: response.StatusCode, Header: response.Header, Body: body, host: r.URL.Host}, nil
}

// OK reports whether the status is one of success.
func (a *Answer) OK() bool { return a.Status >= 200 && a.Status <= 299 }

// Clear zeroes the body, which may hold tokens.
func (a *Answer) Clear() { clear(a.Body) }

// Decode reads the body as one JSON value of bounded depth, whatever the
// answer's media type. The error shows nothing of it.
func (a *Answer) Decode(into any) error {
	if !shallow(a.Body) {
		return fmt.Errorf("the answer of %s is no JSON, or is nested deeper than %d", a.host, maxDepth)
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return fmt.Errorf("the answer of %s is not what was expected", a.host) // the cause may show it
	}
	return nil
}

// shallow reports whether the text is JSON that is nested no deeper than
// maxDepth.
func shallow(text []byte) bool {
	decoder := jsontext.NewDecoder(bytes.NewReader(text))
	for {
		_, err := decoder.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return true
		case err != nil, decoder.StackDepth() > maxDepth:
			return false
		}
	}
}

// Unexpected returns the error of an answer that means nothing to the caller.
// It wraps connector.ErrBlocked when a web page forbids us what is an API: that
// is the work of a gate before the provider.
func (a *Answer) Unexpected() error {
	mediaType, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		mediaType = "none"
	}
	if a.Status == http.StatusForbidden && mediaType != "application/json" && !strings.HasSuffix(mediaType, "+json") {
		return fmt.Errorf("%s answered with status %d and no JSON: %w", a.host, a.Status, connector.ErrBlocked)
	}
	return fmt.Errorf("%s answered with status %d, content type %.64q", a.host, a.Status, mediaType)
}
