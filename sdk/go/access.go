package latchkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// AccessService calls the provider of a connection. Its calls need the scope
// ACCESS.
type AccessService struct{ client *Client }

// connectionHeader names the connection of an access call.
const connectionHeader = "X-Connection-Id"

var errConnectionID = errors.New("the connection's id is empty or has characters that no id has")

// Profile is the linked person as the provider tells of them now.
type Profile struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Username string          `json:"username"`
	Avatar   *string         `json:"avatar"` // URL; nil: none
	Raw      json.RawMessage `json:"raw"`    // the provider's own words, or null
}

// Self asks the provider who the connection's person is.
func (s *AccessService) Self(ctx context.Context, connectionID string) (*Profile, error) {
	if !isID(connectionID) {
		return nil, fmt.Errorf("latchkey: %w", errConnectionID)
	}
	return get[Profile](ctx, s.client, call{pattern: "GET /v2/access/self", connection: connectionID})
}

// ProxyRequest is a call of the provider's API. The credential is added on the
// way; Authorization and Cookie headers do not reach the provider.
type ProxyRequest struct {
	Method string     // empty: GET
	Path   string     // of the provider's API, escaped, for example posts/1
	Query  url.Values // nil: none
	Header http.Header
	Body   io.Reader // nil: none
}

// Do calls the provider and returns its answer as it came, whatever the
// status: the caller reads and closes the body. ErrorOf understands what
// Latchkey itself answered in the provider's place. A GET, HEAD or OPTIONS
// without a body may be sent twice, nothing else is.
func (s *AccessService) Do(ctx context.Context, connectionID string, request ProxyRequest) (*http.Response, error) {
	response, err := s.forward(ctx, connectionID, request)
	if err != nil {
		return nil, fmt.Errorf("latchkey: proxy: %w", withoutURL(err))
	}
	return response, nil
}

func (s *AccessService) forward(ctx context.Context, connectionID string, given ProxyRequest) (*http.Response, error) {
	path := strings.TrimPrefix(given.Path, "/")
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if !isID(connectionID) {
		return nil, errConnectionID
	}
	method := given.Method
	if method == "" {
		method = http.MethodGet
	}
	harmless := method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
	safe := harmless && (given.Body == nil || given.Body == http.NoBody)
	response, _, err := s.client.repeat(ctx, safe, func() (*http.Response, error) {
		request, err := s.client.request(ctx, method, "/v2/access/proxy/"+path, given.Query, given.Body)
		if err != nil {
			return nil, err
		}
		for name, values := range given.Header {
			if canonical := http.CanonicalHeaderKey(name); canonical != "Apikey" && canonical != connectionHeader {
				request.Header[canonical] = values
			}
		}
		request.Header.Set(connectionHeader, connectionID)
		return s.client.http.Do(request)
	})
	return response, err
}

// checkPath refuses a path by which a request could leave the proxy: one with
// "." or ".." in it, which something on the way might resolve, or with its own
// query. A path made from what a user typed must be escaped part by part.
func checkPath(path string) error {
	if strings.ContainsAny(path, "?#\\") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the path must be escaped, and its query given as Query")
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return errors.New("the path is not well escaped")
	}
	for part := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return errors.New(`the path has "." or ".." in it`)
		}
	}
	return nil
}
